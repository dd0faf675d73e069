# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Draws verify time against the number of tokens, both scales logarithmic, as an SVG."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 540
LEFT, RIGHT, TOP, BOTTOM = 78, 190, 52, 58
COLOURS = {
    "libpat": "#0b62d6",
    "flat limit": "#3d8b37",
    "physical limit": "#8a8a8a",
    "hs256_floor": "#c2410c",
    "libjwt_hs256": "#dc2626",
    "libmacaroons": "#a21caf",
    "redis_unix": "#b45309",
    "postgres_unix": "#0f766e",
    "sqlite": "#4f46e5",
    "pbkdf2_10k": "#111827",
}
MAIN = ("libpat", "flat limit", "physical limit")


def time_text(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:g} {unit}"
    return f"{ns:g} ns"


def count_text(tokens: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if tokens >= size and tokens % size == 0:
            return f"{tokens // size}{unit}"
    return str(tokens)


class Chart:
    def __init__(self, curves: dict[str, dict[int, float]]) -> None:
        self.curves = curves
        self.sizes = sorted({size for curve in curves.values() for size in curve})
        values = [ns for curve in curves.values() for ns in curve.values()]
        self.low = math.floor(math.log10(min(values)))
        self.high = max(self.low + 1, math.ceil(math.log10(max(values))))

    def x(self, tokens: int) -> float:
        first, last = math.log10(self.sizes[0]), math.log10(self.sizes[-1])
        part = (math.log10(tokens) - first) / (last - first) if last > first else 0.5
        return LEFT + 24 + part * (WIDTH - LEFT - RIGHT - 48)

    def y(self, ns: float) -> float:
        part = (math.log10(ns) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def text(self, x: float, y: float, text: str, more: str = "") -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'

    def axes(self) -> list[str]:
        out = [self.text(LEFT, 28, "Time to verify one token", 'font-size="17" font-weight="600"')]
        for power in range(self.low, self.high + 1):
            y = self.y(10**power)
            out.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            )
            out.append(self.text(LEFT - 8, y + 4, time_text(10**power), 'text-anchor="end"'))
        for size in self.sizes:
            out.append(
                self.text(
                    self.x(size), HEIGHT - BOTTOM + 20, count_text(size), 'text-anchor="middle"'
                )
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        out.append(self.text(middle, HEIGHT - 14, "tokens in the store", 'text-anchor="middle"'))
        return out

    def label_heights(self) -> dict[str, float]:
        """Where each curve's name goes: beside its end, none over another."""
        ends = {label: self.y(curve[max(curve)]) for label, curve in self.curves.items()}
        heights: dict[str, float] = {}
        free = TOP
        for label in sorted(ends, key=lambda one: ends[one]):
            heights[label] = max(ends[label] + 4, free)
            free = heights[label] + 16
        below = max(0.0, max(heights.values()) - (HEIGHT - BOTTOM + 6))
        return {label: height - below for label, height in heights.items()}

    def draw(self) -> str:
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="system-ui, sans-serif" font-size="13" fill="#222">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *self.axes(),
        ]
        heights = self.label_heights()
        for label, curve in self.curves.items():
            colour = COLOURS.get(label, "#555")
            points = [(self.x(size), self.y(ns)) for size, ns in sorted(curve.items())]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            wide = 3 if label == "libpat" else 1.6
            dashes = "" if label in MAIN else ' stroke-dasharray="5 4"'
            out.append(
                f'<polyline points="{line}" fill="none" stroke="{colour}" '
                f'stroke-width="{wide}"{dashes}/>'
            )
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
            name = f"{label.replace('_', ' ')}  {time_text(float(f'{curve[max(curve)]:.3g}'))}"
            weight = ' font-weight="700"' if label == "libpat" else ""
            end = WIDTH - RIGHT + 10
            out.append(self.text(end, heights[label], name, f'fill="{colour}"{weight}'))
        return "\n".join([*out, "</svg>", ""])


def draw(curves: dict[str, dict[int, float]]) -> str:
    return Chart(curves).draw()
