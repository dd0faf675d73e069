#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Writes token_text.txt, the golden vectors of token text; --check compares instead.

An implementation of its own (zlib's CRC, Python's integers), so that the library is not measured
by itself. Deterministic: it writes the same bytes with every Python 3.
"""

import hashlib
import itertools
import os
import sys
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "acme_pat_"  # not one that secret scanners know

HEADER = """\
# Golden vectors of token text. Written by make_token_text.py; do not edit.
#
# One case a line, fields between single blanks; lines that begin with '#' and empty lines are
# comments:
#
#     verdict prefixes "text" [selector secret]
#
# verdict   ok            the text of a token
#           not_token     prefix, length or alphabet is wrong: not to be judged as a token at all
#           bad_selector  looks like a token, but the selector's value is 2^128 or more
#           bad_checksum  looks like a token, but the checksum is 2^32 or more or does not fit
#                         (when selector and checksum are both bad: bad_selector)
# prefixes  the accepted prefixes, between commas
# text      in quotes; every byte outside 0x21..0x7E and every '"' and '\\' is written \\xHH
# selector, secret   with ok only: what the parts are; 32 hexadecimal digits and 27 characters
"""


def base62(number, length):
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    if number:
        raise ValueError("too many digits")
    return digits


def value(digits):
    number = 0
    for character in digits:
        number = number * 62 + ALPHABET.index(character)
    return number


def checksum(text):
    return zlib.crc32(text.encode("latin-1"))


def secret(seed):
    """27 characters that depend on nothing but `seed`."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")
    return base62(number % 62**27, 27)


def selector(seed):
    return int.from_bytes(hashlib.sha256(b"selector " + seed.encode()).digest()[:16], "big")


def compose(prefix, selector_value, secret_text):
    covered = prefix + base62(selector_value, 22) + secret_text
    return covered + base62(checksum(covered), 6)


def secret_for_checksum(prefix, selector_value, target):
    """A secret that gives the text this checksum. CRC is affine, so halves of three characters
    meet in the middle."""
    start = prefix + base62(selector_value, 22) + secret("middle")[:21]

    def raw(state, text):  # the CRC's register, without its inversions
        return zlib.crc32(text.encode(), state ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    triples = ["".join(triple) for triple in itertools.product(ALPHABET, repeat=3)]
    zero = raw(0, "000")
    ends = {}
    for triple in triples:
        ends.setdefault(raw(0, triple) ^ zero, triple)
    state = raw(0xFFFFFFFF, start)
    wanted = target ^ 0xFFFFFFFF
    for triple in triples:
        end = ends.get(raw(raw(state, triple), "000") ^ wanted)
        if end is not None:
            found = start + triple + end
            if checksum(found) != target:
                raise AssertionError("the halves do not meet")
            return found[-27:]
    raise AssertionError("no such secret")


def escape(text):
    return "".join(
        c if 0x21 <= ord(c) <= 0x7E and c not in '"\\' else "\\x%02X" % ord(c) for c in text
    )


def judge(text, prefixes):
    """The verdict, from the text alone."""
    for prefix in prefixes.split(","):
        if text.startswith(prefix) and len(text) == len(prefix) + 55:
            body = text[len(prefix):]
            if not all(character in ALPHABET for character in body):
                return "not_token"
            if value(body[:22]) >= 2**128:
                return "bad_selector"
            return "ok" if value(body[-6:]) == checksum(text[:-6]) else "bad_checksum"
    return "not_token"


class Vectors:
    def __init__(self):
        self.lines = [HEADER]

    def group(self, title):
        self.lines.append("\n# " + title + "\n")

    def add(self, verdict, text, prefixes=PREFIX):
        if judge(text, prefixes) != verdict:
            raise AssertionError("%s is %s" % (escape(text), judge(text, prefixes)))
        self.lines.append('%s %s "%s"\n' % (verdict, prefixes, escape(text)))

    def ok(self, prefix, selector_value, secret_text, prefixes=None):
        text = compose(prefix, selector_value, secret_text)
        if judge(text, prefixes or prefix) != "ok":
            raise AssertionError(text)
        self.lines.append(
            'ok %s "%s" %032x %s\n' % (prefixes or prefix, text, selector_value, secret_text)
        )


def valid(v):
    v.group("Valid: prefixes of every shape")
    for prefix in [PREFIX, "a_", "__", "0_", "pat_", "MyApp_PAT_", "x" * 19 + "_", "_" * 20]:
        v.ok(prefix, selector(prefix), secret(prefix))
    v.group("Valid: one of several prefixes, first, middle, last, one the beginning of another")
    for prefix in ["one_", "two_", "three_"]:
        v.ok(prefix, selector(prefix), secret(prefix), "one_,two_,three_")
    for prefix in ["a_", "a_b_"]:
        v.ok(prefix, selector(prefix), secret(prefix), "a_,a_b_")
        v.ok(prefix, selector(prefix), secret(prefix), "a_b_,a_")
    v.group("Valid: selectors at the edges")
    edges = [0, 1, 61, 62, 62**10 - 1, 62**10, 62**20 - 1, 62**20]
    edges += [2**64 - 1, 2**64, 2**112 - 1, 2**127, 2**128 - 2, 2**128 - 1]
    for edge in edges:
        v.ok(PREFIX, edge, secret("edge"))
    v.group("Valid: secrets of one character")
    for character in "09AZaz":
        v.ok(PREFIX, selector("one"), character * 27)
    v.group("Valid: checksums at the edges: 0, 1, 2^31 - 1, 2^31, 2^32 - 1")
    for target in [0, 1, 2**31 - 1, 2**31, 2**32 - 1]:
        v.ok(PREFIX, selector("crc"), secret_for_checksum(PREFIX, selector("crc"), target))
    v.group("Valid: a handful more")
    for i in range(16):
        v.ok(PREFIX, selector("more %d" % i), secret("more %d" % i))


def bad_values(v, good):
    v.group("Selector 2^128 or more; the checksum fits. The second is 0 modulo 2^128")
    for number in [2**128 + 1, 2**128, 2**128 + 2**64, 2**129, 484 * 62**20 - 1,
                   484 * 62**20, 62**22 - 1]:
        v.add("bad_selector", compose(PREFIX, number, secret("over")))
    v.group("Selector 2^128 or more, and the checksum does not fit either")
    v.add("bad_selector", PREFIX + "z" * 55)
    v.group("Checksum off by one, and in one bit")
    right = checksum(good[:-6])
    for other in [right - 1, right + 1] + [right ^ 1 << bit for bit in range(32)]:
        v.add("bad_checksum", good[:-6] + base62(other, 6))
    v.group("Checksum 2^32 or more: what fits modulo 2^32, and the largest")
    for target in [0, 1, 2**32 - 1]:
        text = compose(PREFIX, selector("crc"),
                       secret_for_checksum(PREFIX, selector("crc"), target))
        for turn in range(1, 14):
            if target + turn * 2**32 < 62**6:
                v.add("bad_checksum", text[:-6] + base62(target + turn * 2**32, 6))
    v.add("bad_checksum", good[:-6] + "z" * 6)
    v.group("Checksum of something else: without the prefix, of another prefix, reversed")
    v.add("bad_checksum", good[:-6] + base62(checksum(good[len(PREFIX):-6]), 6))
    v.add("bad_checksum", good[:-6] + base62(checksum("acme_PAT_" + good[len(PREFIX):-6]), 6))
    v.add("bad_checksum", good[:-6] + good[:-7:-1])
    v.group("Two neighbours swapped; upper and lower case of the body swapped")
    v.add("bad_checksum", good[:40] + good[41] + good[40] + good[42:])
    v.add("bad_checksum", PREFIX + good[len(PREFIX):-6].swapcase() + good[-6:])


def bad_shapes(v, good):
    body = good[len(PREFIX):]
    v.group("Nothing, or next to nothing")
    for text in ["", "\0", " ", PREFIX, body, "password", "acme_pat"]:
        v.add("not_token", text)
    v.group("Wrong length: cut at either end, longer, twice; a selector of 21 or 23 characters")
    for text in [good[:-1], good[1:], good[:-6], good[:9] + good[10:], good + "0", "0" + good,
                 good + good, good[:9] + "0" + good[9:], good + "=" * 8, PREFIX + good]:
        v.add("not_token", text)
    v.group("Wrong prefix, and the right one in other letters")
    for prefix in ["acme_par_", "xxxxxxxxx", "ACME_PAT_", "Acme_pat_", "acme_Pat_",
                   "acme-pat-", "acme_pat-", "acmexpatx", "_acme_pat", "acme_pat0", "other_"]:
        v.add("not_token", compose(prefix, selector("prefix"), secret("prefix")))
    v.group("A prefix that is not accepted here; none that is longer or shorter by a character")
    v.add("not_token", compose("a_", selector("p"), secret("p")), "b_,c_")
    v.add("not_token", compose("a_", selector("p"), secret("p")), "aa_,0_")
    v.group("A character outside the alphabet at the first and last place of each part; the "
            "checksum is right")
    for place in [9, 30, 31, 57]:
        for other in "_-+/=.,:;@[`{~ \"\\\0\x01\t\n\r\x1f\x7f\x80\xaf\xb0\xc1\xe1\xff":
            covered = good[:place] + other + good[place + 1:-6]
            v.add("not_token", covered + base62(checksum(covered), 6))
    for place in [58, 63]:
        for other in "_-+/= \0\n\x80\xff":
            v.add("not_token", good[:place] + other + good[place + 1:])
    v.group("Non-ASCII of the same number of bytes, and digits of other scripts in UTF-8")
    v.add("not_token", good[:20] + "\xc3\xa9" + good[22:])
    v.add("not_token", good[:20] + "\xd9\xa3" + good[22:])
    v.add("not_token", good[:20] + "\xef\xbc\x91" + good[23:])
    v.add("not_token", "\xef\xbb\xbf" + good)
    v.group("Embedded, leading and trailing NUL")
    v.add("not_token", good[:9] + "\0" + good[10:])
    v.add("not_token", "\0" + good)
    v.add("not_token", good + "\0")
    v.add("not_token", good[:-1] + "\0")
    v.group("Blanks, tabs and line ends are refused, not trimmed")
    for blank in [" ", "\t", "\n", "\r\n", "\r", "\v", "\f", "\xa0", "\xc2\xa0", "\xe2\x80\x8b"]:
        v.add("not_token", blank + good)
        v.add("not_token", good + blank)
    v.add("not_token", good[:9] + " " + good[9:])
    v.add("not_token", " " + good[:-1])
    v.add("not_token", good[1:] + "\n")
    v.group("Dressed up: quotes, brackets, a header's scheme, a URL, percent encoding")
    for text in ['"%s"' % good, "<%s>" % good, "Bearer " + good, "https://" + good + "@host",
                 good.replace("_", "%5F"), good[:-1] + "%" + "%02X" % ord(good[-1])]:
        v.add("not_token", text)


def make():
    v = Vectors()
    good = compose(PREFIX, selector("good"), secret("good"))
    valid(v)
    bad_values(v, good)
    bad_shapes(v, good)
    return "".join(v.lines).encode("ascii")


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "token_text.txt")
    made = make()
    if sys.argv[1:] == ["--check"]:
        with open(path, "rb") as file:
            if file.read() != made:
                sys.exit("token_text.txt is not what make_token_text.py writes")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        with open(path, "wb") as file:
            file.write(made)


if __name__ == "__main__":
    main()
