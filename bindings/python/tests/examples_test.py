# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The examples work; the README shows the first one as it is, with what it prints."""

from __future__ import annotations

import asyncio
import base64
import re
import runpy
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import asgi_middleware
import pytest
import wsgi_middleware
from host import EXAMPLES, issue, note_keyring

import libpat


def basic(login: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{token}".encode()).decode()


def account_of(login: str) -> str | None:
    return {"Alice": "alice", "Bob": "bob"}.get(login)


def test_the_five_minute_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = EXAMPLES / "five_minutes.py"
    monkeypatch.setattr("sys.argv", [str(program), str(tmp_path)])
    runpy.run_path(str(program), run_name="__main__")
    note_keyring((tmp_path / "keyring").read_bytes())
    printed = capsys.readouterr().out
    source = program.read_text()
    assert len(source.splitlines()) < 30
    readme = (EXAMPLES.parent / "README.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```\n", readme, re.DOTALL)
    assert ("python", source) in blocks
    assert ("text", printed) in blocks


CASES = [  # header, with {token}; status; whether the application is called
    ("", 401),
    ("Bearer", 401),
    ("Bearer {token}", 200),
    ("bearer   {token} ", 200),
    ("Bearer x{token}", 401),
    ("Basic {Alice}", 200),
    ("Basic {Bob}", 401),
    ("Basic {Mallory}", 401),
    ("Basic !!!", 401),
    ("Basic", 401),
    ("Digest {token}", 401),
    ("Bearer \xff\xfe", 401),
    ("Bearer {reader}", 403),
]


def headers_of(authority: libpat.Authority) -> list[tuple[str, int]]:
    token, reader = issue(authority).text, issue(authority, scope="repo:read").text
    fields = {name: basic(name, token)[6:] for name in ("Alice", "Bob", "Mallory")}
    return [(h.format(token=token, reader=reader, **fields), status) for h, status in CASES]


def test_wsgi_middleware(authority: libpat.Authority) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["libpat.principal"].account.encode()]

    guarded = wsgi_middleware.TokenAuth(application, authority, account_of, need="repo:write")
    for header, expected in headers_of(authority):
        environ: dict[str, Any] = {"libpat.principal": "smuggled", "HTTP_AUTHORIZATION": header}
        setup_testing_defaults(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
            started.append((status, headers))

        body = b"".join(guarded(environ, start_response))
        ((status, headers),) = started
        assert int(status[:3]) == expected
        assert body == (b"alice" if expected == 200 else libpat.Refused.public_message.encode())
        assert any(name == "WWW-Authenticate" for name, _ in headers) is (expected != 200)


def test_asgi_middleware(authority: libpat.Authority) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            body = scope["state"]["principal"].account.encode()
            await send({"type": "http.response.body", "body": body})

    guarded = asgi_middleware.TokenAuth(app, authority, account_of, need="repo:write")

    def ask(kind: str, header: str) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError

        headers = [(b"authorization", header.encode("latin-1")), (b"user-agent", b"git")]
        scope = {"type": kind, "headers": headers, "client": ("::1", 5)}
        asyncio.run(guarded(scope, receive, send))
        return sent

    for header, expected in headers_of(authority):
        start, body = ask("http", header)
        assert start["status"] == expected
        refusal = libpat.Refused.public_message.encode()
        assert body["body"] == (b"alice" if expected == 200 else refusal)
        sent = ask("websocket", header)
        assert [m["type"] for m in sent] == ([] if expected == 200 else ["websocket.close"])
    assert ask("lifespan", "") == [] and seen[-1] == "lifespan"
