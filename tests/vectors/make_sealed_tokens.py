#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Writes sealed_tokens.txt, the golden vectors of keys, seals and records; --check compares instead.

An implementation of its own, in plain Python with AES included, so that the library is not measured
by itself; it checks its primitives with the vectors of their standards first. Deterministic.
"""

import hashlib
import hmac
import os
import struct
import sys
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "acme_pat_"  # not one that secret scanners know
FORMAT = 0
NOW = 1700000000

HEADER = """\
# Golden vectors of sealed tokens. Written by make_sealed_tokens.py; do not edit. The keys are for
# tests only.
#
# One case a line, fields between single blanks; lines that begin with '#' and empty lines are
# comments. Bytes are in hexadecimal; texts are in quotes, where every byte outside 0x21..0x7E and
# every '"' and '\\' is written \\xHH. The first field is the verdict, or says what the line is:
#
#     keyring NAME "text"
#         A keyring that the other lines name.
#     token KEYRING id "account" number permissions time version state origin reason secret
#           "text" digest record public_id
#         What is written for a token with these fields, by the newest keys: its text, its digest,
#         its record. `number` is the account's, which stands in the record if the id is long;
#         `time` the expiry, or the time of deletion, in Unix seconds; `state` 1 active, 2 inactive,
#         3 deleted; `origin` 0 manual, 1 auto; `reason` as numbered in the record.
#     open KEYRING table key value row
#         What a row's value is sealed to, by the newest key. `table`: 1 account, 2 metadata, 3 meta.
#     closed KEYRING table key row
#         A row whose seal does not fit there.
#     VERDICT KEYRING now slot record number account_row "text" [permissions origin "account"]
#         What comes of the text if the store has this record in this slot and this row for the
#         account of this number ('-': none): `accepted` with the rights that follow, or why not.
"""

# ---- AES-128 (FIPS 197)


def _gmul(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _sbox():
    box = [0] * 256
    for value in range(256):
        inverse = next((i for i in range(256) if _gmul(value, i) == 1), 0)
        out = 0x63
        for shift in range(5):
            out ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box[value] = out
    return box


SBOX = _sbox()
INVERSE_SBOX = [SBOX.index(value) for value in range(256)]


class Aes:
    def __init__(self, key):
        words = [list(key[i : i + 4]) for i in range(0, 16, 4)]
        rcon = 1
        for i in range(4, 44):
            word = list(words[i - 1])
            if i % 4 == 0:
                word = [SBOX[b] for b in word[1:] + word[:1]]
                word[0] ^= rcon
                rcon = _gmul(rcon, 2)
            words.append([a ^ b for a, b in zip(words[i - 4], word)])
        self.rounds = [sum(words[4 * r : 4 * r + 4], []) for r in range(11)]

    @staticmethod
    def _mix(state, row):
        out = []
        for column in range(0, 16, 4):
            for i in range(4):
                value = 0
                for k in range(4):
                    value ^= _gmul(state[column + k], row[(k - i) % 4])
                out.append(value)
        return out

    def encrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.rounds[0])]
        for r in range(1, 11):
            state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if r < 10:
                state = self._mix(state, [2, 3, 1, 1])
            state = [a ^ b for a, b in zip(state, self.rounds[r])]
        return bytes(state)

    def decrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.rounds[10])]
        for r in range(9, -1, -1):
            state = [INVERSE_SBOX[state[(i - 4 * (i % 4)) % 16]] for i in range(16)]
            state = [a ^ b for a, b in zip(state, self.rounds[r])]
            if r > 0:
                state = self._mix(state, [14, 11, 13, 9])
        return bytes(state)


# ---- CMAC (RFC 4493), HKDF-SHA-256 (RFC 5869)


def cmac(key, message):
    aes = Aes(key)
    number = int.from_bytes(aes.encrypt(bytes(16)), "big")
    subkeys = []
    for _ in range(2):
        number = number << 1
        if number >> 128:
            number ^= (1 << 128) | 0x87
        subkeys.append(number.to_bytes(16, "big"))
    blocks = max(1, (len(message) + 15) // 16)
    last = message[16 * (blocks - 1) :]
    if len(last) == 16:
        last = bytes(a ^ b for a, b in zip(last, subkeys[0]))
    else:
        last = (last + b"\x80").ljust(16, b"\0")
        last = bytes(a ^ b for a, b in zip(last, subkeys[1]))
    state = bytes(16)
    for i in range(blocks):
        block = last if i == blocks - 1 else message[16 * i : 16 * i + 16]
        state = aes.encrypt(bytes(a ^ b for a, b in zip(state, block)))
    return state


def hkdf(secret, salt, info, size=16):
    prk = hmac.new(salt, secret, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()[:size]


def check_primitives():
    unhex = bytes.fromhex
    aes = Aes(unhex("000102030405060708090a0b0c0d0e0f"))
    plain = unhex("00112233445566778899aabbccddeeff")
    assert aes.encrypt(plain) == unhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    assert aes.decrypt(aes.encrypt(plain)) == plain
    key = unhex("2b7e151628aed2a6abf7158809cf4f3c")
    message = unhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    assert cmac(key, b"") == unhex("bb1d6929e95937287fa37d129b756746")
    assert cmac(key, message[:16]) == unhex("070a16b46b4d4144f79bdd9dd04a287c")
    assert cmac(key, message[:40]) == unhex("dfa66747de9ae63030ca32611497c827")
    assert cmac(key, message) == unhex("51f0bebf7e3b9d92fc49741779363cfe")
    okm = hkdf(unhex("0b" * 22), unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9"))
    assert okm == unhex("3cb25f25faacd57a90434f64d0362f2a")


# ---- Keyrings


class Keyring:
    def __init__(self, name, realm, selectors, seals):
        self.name = name
        self.realm = realm
        self.selectors = selectors
        self.seals = seals
        self.public_key = hkdf(realm, realm, b"libpat public id")
        number = max(selectors)
        self.selector_key = self._derive(selectors[number], "selector", number)

    def _derive(self, master, purpose, number):
        return hkdf(master, self.realm, b"libpat %s %d" % (purpose.encode(), number))

    def seal_key(self, purpose):
        number = max(self.seals)
        return number, self._derive(self.seals[number], purpose, number)

    def text(self):
        lines = ["libpat keyring 1", "realm " + self.realm.hex()]
        lines += ["selector %d %s" % (n, s.hex()) for n, s in sorted(self.selectors.items())]
        lines += ["seal %d %s" % (n, s.hex()) for n, s in sorted(self.seals.items())]
        return "\n".join(lines) + "\n"


# ---- Texts, records, rows


def base62(number, length):
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits


def secret_of(seed):
    return base62(int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big") % 62**27, 27)


def token_text(keyring, token_id, secret):
    block = struct.pack(">QQ", token_id, 0)
    selector = int.from_bytes(Aes(keyring.selector_key).encrypt(block), "big")
    text = PREFIX + base62(selector, 22) + secret
    return text + base62(zlib.crc32(text.encode()), 6)


def digest_of(text):
    return hashlib.sha256(text[len(PREFIX) : len(PREFIX) + 49].encode()).digest()[:16]


def public_id(keyring, token_id):
    h = Aes(keyring.public_key).encrypt(struct.pack(">QQ", token_id, 0)).hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def account_bytes(keyring, account, number):
    if len(account) <= 16:
        return 0, len(account) - 1, account.ljust(16, b"\0")
    _, key = keyring.seal_key("account tag")
    return 1, 0, struct.pack("<I", number) + cmac(key, account)[:12]


def seal(keyring, token_id, digest, body):
    number, key = keyring.seal_key("token seal")
    head = struct.pack(">QHB", token_id, number, FORMAT).ljust(16, b"\0")
    return cmac(key, head + digest + body)


class Fields:
    def __init__(self, account, number=0, permissions=0, time=0, version=1, state=1, origin=0,
                 reason=0, unknown=0):
        self.__dict__.update(locals())
        del self.__dict__["self"]


def record_of(keyring, token_id, digest, f):
    long_account, size, account = account_bytes(keyring, f.account, f.number)
    slot = max(keyring.seals) % 8
    flags = (f.state | f.origin << 2 | long_account << 3 | size << 4 | f.reason << 8 | slot << 11
             | f.unknown << 14)
    body = struct.pack("<QIHH", f.permissions, f.time, f.version, flags) + account
    return seal(keyring, token_id, digest, body) + body


def row_of(keyring, table, key, value):
    number, row_key = keyring.seal_key("row seal")
    head = struct.pack(">BBHII", table, FORMAT, number, len(key), len(value)).ljust(16, b"\0")
    return struct.pack("<H", number) + cmac(row_key, head + key + value) + value


def account_row(keyring, account, number):
    value = bytes([len(account)]) + account + struct.pack("<QIIIIB", 1, 1, 0, 0xFFFFFFFF, 0, 0)
    return row_of(keyring, 1, struct.pack(">I", number), value)


# ---- The file


def quote(data):
    if isinstance(data, str):
        data = data.encode("latin-1")
    return '"' + "".join(
        chr(b) if 0x21 <= b <= 0x7E and b not in b'"\\' else "\\x%02x" % b for b in data) + '"'


def keyrings():
    def master(seed):
        return hashlib.sha256(b"libpat test key " + seed.encode()).digest()

    realm = hashlib.sha256(b"libpat test realm").digest()[:16]
    selectors = {7: master("selector 7"), 9: master("selector 9")}
    seals = {6: master("seal 6"), 10: master("seal 10")}
    return {
        k.name: k
        for k in (
            Keyring("main", realm, selectors, seals),
            Keyring("first", realm, {7: selectors[7]}, {6: seals[6]}),
            Keyring("single", hashlib.sha256(b"single").digest()[:16], {1: master("s")},
                    {1: master("t")}),
            Keyring("other_realm", bytes([realm[0] ^ 1]) + realm[1:], selectors, seals),
            Keyring("other_seal", realm, selectors, {6: seals[6], 10: master("another")}),
            Keyring("other_selector", realm, {7: selectors[7], 9: master("another")}, seals),
            Keyring("retired_seal", realm, selectors, {6: seals[6]}),
            Keyring("retired_selector", realm, {7: selectors[7]}, seals),
            Keyring("renumbered_seal", realm, selectors, {2: seals[10]}),  # the same slot
        )
    }


LONG = b"an account id of more than 16 bytes"
LONGEST = bytes(range(128, 256))

TOKENS = [
    ("main", 1, Fields(b"a")),
    ("main", 2, Fields(b"alice", permissions=7, time=0)),
    ("main", 84, Fields(b"\0", permissions=1, version=0)),
    ("main", 85, Fields(bytes(16), permissions=2**64 - 1, time=NOW + 1, version=65535)),
    ("main", 86, Fields(b"0123456789abcdef", permissions=2**63, origin=1)),
    ("main", 2**16, Fields(LONG, number=1, permissions=15)),
    ("main", 2**32 + 5, Fields(LONGEST, number=2**32 - 1, permissions=15, origin=1)),
    ("main", 2**48 - 1, Fields(b"0123456789abcdef0", number=0x01020304, permissions=8, version=258)),
    ("main", 7, Fields(b"alice", permissions=7, state=2)),
    ("main", 8, Fields(b"alice", permissions=7, time=NOW)),
    ("main", 9, Fields(b"alice", permissions=7, time=NOW, state=2)),
] + [
    ("main", 10 + r, Fields(b"alice", permissions=7, time=NOW - 5, state=3, reason=r))
    for r in range(6)
] + [
    ("first", 20, Fields(b"alice", permissions=7)),
    ("first", 21, Fields(LONG, number=3, permissions=7)),
    ("single", 1, Fields(b"bob", permissions=3, origin=1)),
]


def verdict_of(f):
    if f.unknown:
        return "unavailable"
    if f.state == 3:
        return "deleted"
    if f.time and f.time <= NOW:
        return "expired"
    return {1: "accepted", 2: "inactive"}.get(f.state, "?")


class Writer:
    def __init__(self):
        self.rings = keyrings()
        self.lines = [HEADER.rstrip("\n")]

    def title(self, text):
        self.lines += ["", "# " + text]

    def judged(self, verdict, ring, slot, record, f, text, row=None):
        """`row` is the account's; b"" for none; made by `ring` if not given."""
        if row is None:
            row = account_row(self.rings[ring], f.account, f.number) if len(f.account) > 16 else b""
        fields = [verdict, ring, str(NOW), str(slot), record.hex(), str(f.number or 1),
                  row.hex() or "-", quote(text)]
        if verdict == "accepted":
            fields += ["%016x" % f.permissions, str(f.origin), quote(f.account)]
        self.lines.append(" ".join(fields))

    def made(self, ring, token_id, f):
        keyring = self.rings[ring]
        text = token_text(keyring, token_id, secret_of("%s %d" % (ring, token_id)))
        digest = digest_of(text)
        return text, digest, record_of(keyring, token_id, digest, f)

    def write(self):
        self.title("Keyrings")
        for name, keyring in self.rings.items():
            self.lines.append("keyring %s %s" % (name, quote(keyring.text())))
        self.title("What is written for a token")
        for ring, token_id, f in TOKENS:
            text, digest, record = self.made(ring, token_id, f)
            self.lines.append(" ".join(
                ["token", ring, str(token_id), quote(f.account), str(f.number),
                 "%016x" % f.permissions, str(f.time), str(f.version), str(f.state), str(f.origin),
                 str(f.reason), text[len(PREFIX) + 22 : len(PREFIX) + 49], quote(text),
                 digest.hex(), record.hex(), public_id(self.rings[ring], token_id)]))
        self.write_rows()
        self.title("Verified with the keys they were made with")
        for ring, token_id, f in TOKENS:
            text, _, record = self.made(ring, token_id, f)
            self.judged(verdict_of(f), ring, token_id, record, f, text)
        self.write_keys()
        self.write_edits()
        return "\n".join(self.lines) + "\n"

    def write_rows(self):
        self.title("Rows")
        rows = [
            (1, struct.pack(">I", 1), b"\x05alice"),
            (1, struct.pack(">I", 2**32 - 1), b""),
            (2, struct.pack(">IQ", 7, 2**48 - 1), b"metadata of sixteen bytes and mo"),
            (2, struct.pack(">IQ", 7, 1), bytes(range(256))),
            (3, b"header", b"\x0a\x10" + bytes(16)),
            (3, b"scopes", b"x"),
        ]
        for ring in ("main", "first", "single"):
            for table, key, value in rows:
                row = row_of(self.rings[ring], table, key, value)
                self.lines.append(
                    "open %s %d %s %s %s" % (ring, table, key.hex(), value.hex() or "-", row.hex()))
        self.title("Rows: in another table, under another key, with other keys, edited, cut")

        def closed(ring, table, key, row):
            self.lines.append("closed %s %d %s %s" % (ring, table, key.hex(), row.hex() or "-"))

        key, value = struct.pack(">IQ", 7, 9), b"value"
        row = row_of(self.rings["main"], 2, key, value)
        closed("main", 1, key, row)
        closed("main", 3, key, row)
        closed("main", 2, struct.pack(">IQ", 8, 9), row)
        closed("main", 2, struct.pack(">IQ", 7, 10), row)
        closed("main", 2, key[:4], row)
        for ring in ("other_realm", "other_seal", "retired_seal", "renumbered_seal", "single"):
            closed(ring, 2, key, row)
        for i in (0, 1, 2, 17, 18, len(row) - 1):
            closed("main", 2, key, row[:i] + bytes([row[i] ^ 1]) + row[i + 1 :])
        for size in (0, 1, 2, 17, 18, len(row) - 1):
            closed("main", 2, key, row[:size])
        closed("main", 2, key, row + b"\0")
        # Not under a key for rows at all: sealed as a record, tagged as an account.
        for purpose in ("token seal", "account tag"):
            number, other = self.rings["main"].seal_key(purpose)
            head = struct.pack(">BBHII", 2, FORMAT, number, len(key), len(value)).ljust(16, b"\0")
            closed("main", 2, key,
                   struct.pack("<H", number) + cmac(other, head + key + value) + value)

    def write_keys(self):
        self.title("Verified with other keys")
        f = Fields(b"alice", permissions=7)
        long = Fields(LONG, number=3, permissions=7)
        text, _, record = self.made("first", 20, f)
        self.judged("accepted", "main", 20, record, f, text)  # older keys that still live
        self.judged("forged", "single", 20, record, f, text)
        text, _, record = self.made("first", 21, long)
        row = account_row(self.rings["first"], LONG, 3)
        self.judged("accepted", "main", 21, record, long, text, row)
        row = account_row(self.rings["main"], LONG, 3)  # the row was sealed anew meanwhile
        self.judged("accepted", "main", 21, record, long, text, row)
        text, _, record = self.made("main", 2, f)
        self.judged("accepted", "main", 2, record, f, text)
        for ring, verdict in (("other_realm", "forged"), ("other_seal", "wrong_secret"),
                              ("retired_seal", "wrong_secret"), ("renumbered_seal", "wrong_secret"),
                              ("other_selector", "forged"), ("retired_selector", "forged")):
            self.judged(verdict, ring, 2, record, f, text)
        # The other realm's own text does not fit this realm's record.
        self.judged("wrong_secret", "other_realm", 2, record, f,
                    token_text(self.rings["other_realm"], 2, secret_of("main 2")))

    def write_edits(self):
        self.title("Another secret, another place")
        f = Fields(b"alice", permissions=7)
        text, digest, record = self.made("main", 2, f)
        self.judged("wrong_secret", "main", 2, record, f,
                    token_text(self.rings["main"], 2, secret_of("another")))
        self.judged("unknown_token", "main", 3, record, f, text)
        self.judged("wrong_secret", "main", 3, record, f,
                    token_text(self.rings["main"], 3, secret_of("main 2")))
        self.judged("forged", "main", 2, record, f, token_text(self.rings["main"], 0, "0" * 27))
        self.judged("forged", "main", 2, record, f,
                    token_text(self.rings["main"], 2**48, secret_of("main 2")))

        self.title("Edited: one bit of each field, the seal left as it is")
        for what, bit in (("permissions", 131), ("time", 192), ("version", 224), ("state", 240),
                          ("origin", 242), ("long account", 243), ("size", 244), ("reason", 248),
                          ("key slot", 251), ("unknown", 254), ("account", 256), ("account", 383),
                          ("seal", 0), ("seal", 127)):
            edited = bytearray(record)
            edited[bit // 8] ^= 1 << bit % 8
            self.judged("wrong_secret", "main", 2, bytes(edited), f, text)
        self.judged("wrong_secret", "main", 2, b"\1" + bytes(47), f, text)

        self.title("Well sealed, but with flags of a later format")
        for unknown in (1, 2, 3):
            f = Fields(b"alice", permissions=7, unknown=unknown)
            self.judged("unavailable", "main", 2, record_of(self.rings["main"], 2, digest, f), f,
                        text)

        self.title("Long accounts: no row, another account's row, a row of another number")
        f = Fields(LONG, number=3, permissions=7)
        main = self.rings["main"]
        record = record_of(main, 2, digest, f)
        self.judged("accepted", "main", 2, record, f, text)
        self.judged("wrong_secret", "main", 2, record, f, text, b"")
        self.judged("wrong_secret", "main", 2, record, f, text, account_row(main, LONGEST, 3))
        self.judged("wrong_secret", "main", 2, record, f, text, account_row(main, LONG, 4))
        self.judged("wrong_secret", "main", 2, record, f, text, account_row(main, LONG[:16], 3))


def main():
    check_primitives()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sealed_tokens.txt")
    text = Writer().write()
    if sys.argv[1:] == ["--check"]:
        with open(path, encoding="ascii", newline="") as file:
            if file.read() != text:
                sys.exit("sealed_tokens.txt is not what make_sealed_tokens.py writes")
    else:
        with open(path, "w", encoding="ascii", newline="") as file:
            file.write(text)


if __name__ == "__main__":
    main()
