#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""page_test.py BIN_DIR NODE_MODULES [--screenshots DIR]: the page of hub in Chromium, with a
registry behind it. Makes the world, and hands over to browser/page_test.mjs, or, for pictures of
the pages, to browser/screenshots.mjs. Exit 1 if a case failed."""

import datetime
import json
import os
import subprocess
import sys

from world import World, free_port, record, redact, request

HERE = os.path.dirname(os.path.abspath(__file__))


def later(**duration):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**duration)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def start(world):
    """A hub and a registry that know each other; their ports."""
    registry = free_port()
    _, hub = world.hub("--registry", f"127.0.0.1:{registry}", "--trusted-proxy", "127.0.0.1",
                       "--address-failures", "100000")
    world.registry("registry", hub, registry)
    return hub, registry


def furnish(world, hub):
    """An account with tokens of every kind, to look at, and a font that is good to look at."""
    os.makedirs(world.path(".config/fontconfig"))
    with open(world.path(".config/fontconfig/fonts.conf"), "w", encoding="utf-8") as f:
        f.write("<fontconfig>")
        for family in ("system-ui", "sans", "sans-serif"):
            f.write("<match><test name='family'><string>" + family + "</string></test><edit name="
                    "'family' mode='assign' binding='strong'><string>Inter</string></edit></match>")
        f.write("</fontconfig>")
    world.add_user("mona")
    bearer = world.sign_in(hub, "mona")
    world.call(hub, "POST", "/account/email", {"email": "mona@example.com"}, bearer)

    def make(label, scope, expires_at=None, active=True, used_from=None, agent="docker/20.10"):
        token = world.call(hub, "POST", "/v2/access-tokens", {
            "token_label": label, "scopes": [scope], "expires_at": expires_at}, bearer).json()
        record(token["token"])
        if used_from:
            answer = world.token(hub, "mona", token["token"],
                                 **{"X-Forwarded-For": used_from, "User-Agent": agent})
            assert answer.status == 200, answer.status
        if not active:
            world.call(hub, "PATCH", "/v2/access-tokens/" + token["uuid"], {"is_active": False},
                       bearer)

    make("Old build server", "repo:admin", active=False, used_from="198.51.100.24")
    make("Nightly image clean-up", "repo:admin", used_from="203.0.113.80")
    make("Try-out on the train", "repo:read", expires_at=later(seconds=2))
    make("Public mirror", "repo:public_read", used_from="2001:db8::7f")
    make("Deploy to staging", "repo:read", expires_at=later(days=4, hours=1), used_from="203.0.113.61")
    make("GitLab runner", "repo:write", expires_at=later(days=88), used_from="203.0.113.17")
    for device in ("Docker Desktop on mona-mbp", "Docker Desktop on mona-home"):
        answer = world.call(hub, "POST", "/v2/access-tokens/desktop-generate", {"device": device},
                            bearer)
        record(answer.json()["data"]["token"])
    make("Laptop", "repo:write", used_from="192.0.2.55")


def main(bin_dir, node_modules, pictures=None):
    world = World(bin_dir)
    try:
        hub, registry = start(world)
        furnish(world, hub)
        for name in ("dave", "erin", "frank", "grace", "heidi", "ivan"):
            world.add_user(name)
        script = "screenshots.mjs" if pictures else "page_test.mjs"
        told = {"hub": hub, "registry": registry, "dir": world.dir, "passwords": world.passwords,
                "totp_keys": world.totp_keys}
        done = subprocess.run(
            ["node", os.path.join(HERE, "browser", script)] + ([pictures] if pictures else []),
            input=json.dumps(told).encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**world.environment(), "PAT_NODE_MODULES": os.path.abspath(node_modules),
                 "PAT_TEST_SECRETS": os.environ.get("PAT_TEST_SECRETS", "")}, check=False)
        print(redact(done.stdout.decode("utf-8", "replace")), end="")
        world.check_logs()
        return done.returncode
    finally:
        world.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[4] if len(sys.argv) == 5 else None))
