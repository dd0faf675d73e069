#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""desktop_test.py BIN_DIR DESKTOP: examples/hub/desktop.py, the program DESKTOP, signs in at hub; a
real skopeo works with the token it kept, and at hub the token's row outlives the session. Prints
each case; exit 1 if one failed."""

import base64
import json
import os
import sys

from world import World, case, record, run_cases, totp, write_image


class Context(World):
    def __init__(self, bin_dir, desktop):
        super().__init__(bin_dir)
        self.desktop = desktop
        self.hub_child, self.hub_port = self.hub()
        self.port = self.registry("registry", self.hub_port)
        write_image(self.path("image"), "one")

    def authfile(self, name):
        return self.path("auth-" + name + ".json")

    def sign_in_at(self, name, user="bob", lines=None):
        """The desktop `name` signs in."""
        lines = lines or [self.passwords[user]]
        run = self.run([sys.executable, "-B", self.desktop, "sign-in",
                        f"http://127.0.0.1:{self.hub_port}", f"127.0.0.1:{self.port}", user,
                        "--authfile", self.authfile(name), "--device", name], "\n".join(lines) + "\n")
        if run.status == 0:
            self.token_of(name)
        return run

    def sign_out_at(self, name):
        return self.run([sys.executable, "-B", self.desktop, "sign-out", f"127.0.0.1:{self.port}",
                         "--authfile", self.authfile(name)])

    def token_of(self, name):
        auth = self.auths(name)[f"127.0.0.1:{self.port}"]["auth"]
        return record(base64.b64decode(record(auth)).decode().split(":", 1)[1])

    def auths(self, name):
        with open(self.authfile(name), encoding="utf-8") as f:
            return json.load(f)["auths"]

    def skopeo(self, verb, name, *words):
        return self.run(["skopeo", verb, "--authfile", self.authfile(name), *words])

    def push(self, name, repository="bob/app"):
        return self.skopeo("copy", name, "--dest-tls-verify=false",
                           f"oci:{self.path('image')}:latest",
                           f"docker://127.0.0.1:{self.port}/{repository}")

    def inspect(self, name, repository="bob/app"):
        return self.skopeo("inspect", name, "--tls-verify=false",
                           f"docker://127.0.0.1:{self.port}/{repository}")

    def delete(self, name, repository="bob/app"):
        return self.skopeo("delete", name, "--tls-verify=false",
                           f"docker://127.0.0.1:{self.port}/{repository}")

    def rows(self, user="bob", bearer=None):
        """{label: row} of the user's tokens as hub lists them."""
        bearer = bearer or self.sign_in(self.hub_port, user)
        listed = self.call(self.hub_port, "GET", "/v2/access-tokens?page_size=100", bearer=bearer)
        assert listed.status == 200
        return {t["token_label"]: t for t in listed.json()["results"]}


@case
def a_desktop_signs_in_and_skopeo_works_with_its_token(c):
    c.sign_in_at("one").good()
    assert os.stat(c.authfile("one")).st_mode & 0o777 == 0o600
    row = c.rows()["one"]
    assert row["generated_by"] == "auto" and row["scopes"] == ["repo:admin"], row
    assert row["creator_ua"] == "hub-desktop/1" and row["last_used"] is None
    c.push("one").good()
    c.inspect("one").good()
    c.delete("one").good()
    c.inspect("one").bad()
    c.push("one").good()
    c.push("one", "alice/app").bad()
    assert c.rows()["one"]["last_used"] is not None


@case
def wrong_passwords_leave_nothing_behind(c):
    run = c.sign_in_at("wrong", lines=["not the password"]).bad()
    assert "Wrong user name, password or token." in run.out, run.out
    assert not os.path.exists(c.authfile("wrong")) and "wrong" not in c.rows()


@case
def with_two_factor_authentication_it_asks_for_the_code(c):
    code = totp(c.totp_keys["alice"])
    c.sign_in_at("alices", "alice", [c.passwords["alice"], code]).good()
    c.push("alices", "alice/app").good()
    c.sign_in_at("again", "alice", [c.passwords["alice"], code]).bad()  # good once


@case
def signing_out_forgets_the_copy_and_keeps_the_row(c):
    c.sign_in_at("two").good()
    token = c.token_of("two")
    c.inspect("two").good()
    c.sign_out_at("two").good()
    assert c.auths("two") == {}
    c.inspect("two").bad()
    row = c.rows()["two"]
    assert row["is_active"] and row["token"] == "***"
    assert c.token(c.hub_port, "bob", token).status == 200  # whoever has a copy still comes in
    bearer = c.sign_in(c.hub_port, "bob")
    deleted = c.call(c.hub_port, "DELETE", "/v2/access-tokens/" + row["uuid"], bearer=bearer)
    assert deleted.status == 202 and "two" not in c.rows()
    assert c.token(c.hub_port, "bob", token).status == 401
    c.sign_out_at("two").good()  # nothing left to forget


@case
def the_sixth_sign_in_takes_the_place_of_the_one_least_used(c):
    c.issue("bob", "repo:read")
    for name in ("three", "four", "five", "six"):
        c.sign_in_at(name).good()
    before = c.rows()
    assert {"one", "three", "four", "five", "six"} <= before.keys()
    # The rule: the smallest of the later of last use and creation, then the oldest token.
    autos = sorted((t for t in before.values() if t["generated_by"] == "auto"), key=lambda t: (
        max(t["created_at"], t["last_used"] or ""), t["created_at"], t["token_label"] != "one"))
    c.sign_in_at("seven").good()
    after = c.rows()
    gone = before.keys() - after.keys()
    assert gone == {autos[0]["token_label"]}, (gone, autos)
    assert after.keys() - before.keys() == {"seven"}
    assert sum(t["generated_by"] == "manual" for t in after.values()) == 1
    c.inspect(gone.pop()).bad()
    c.inspect("seven").good()


@case
def nothing_secret_is_logged(c):
    c.check_logs()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: desktop_test.py BIN_DIR DESKTOP")
    context = Context(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
    try:
        return run_cases(context)
    finally:
        context.close()


if __name__ == "__main__":
    sys.exit(main())
