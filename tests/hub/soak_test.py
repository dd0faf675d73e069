#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""soak_test.py BIN_DIR: hub under a mixed load for PAT_HUB_SOAK_S seconds (10 if unset): registries'
token requests good and bad, logins, tokens made, listed, changed and deleted, desktops' sign-ins,
proxies' questions and scrapes. Its anonymous memory must not grow and no answer be a 5xx. (Resident
memory has the store's mapped pages in it as well: those grow with the store.) Prints what was done;
exit 1 if it failed."""

import http.client
import json
import os
import random
import sys
import threading
import time
import urllib.parse

from world import World, basic, record, redact, stop

THREADS = 8
MOST_GROWTH_KIB = 4096
TOKENS = "/v2/access-tokens"


def grows(samples):
    """How much the memory has grown, in KiB, once caches and arenas have their size: the last
    quarter's least over the second quarter's most."""
    quarter = max(len(samples) // 4, 1)
    return min(samples[-quarter:]) - max(samples[quarter:2 * quarter])


def check_grows():
    """That it notices a leak and nothing else."""
    flat = [20000 + random.randrange(1500) for _ in range(100)]
    assert grows([5000] * 20 + flat) <= MOST_GROWTH_KIB
    assert grows([value + 300 * i for i, value in enumerate(flat)]) > MOST_GROWTH_KIB


class Load(threading.Thread):
    """One client after another on a connection that is kept."""

    def __init__(self, world, port, number, end):
        super().__init__()
        self.world, self.port, self.end = world, port, end
        self.random = random.Random(number)
        self.user = "soak%d" % number
        self.pat, _ = world.issue(self.user, "repo:write")
        self.bad, bad_id = world.issue(self.user, "repo:read")
        world.patctl("deactivate", bad_id)
        self.bearer = world.sign_in(port, self.user)
        self.statuses = {}
        self.failure = None
        self.made = []
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method, path, wanted, headers=None, body=None):
        self.connection.request(method, path, body and json.dumps(body), headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        assert answer.status in wanted, (method, path, answer.status, redact(text.decode()))
        return text

    def token(self, secret, wanted):
        query = urllib.parse.urlencode({
            "service": "registry-test", "account": self.user,
            "scope": "repository:%s/app%d:pull,push" % (self.user, self.random.randrange(100))})
        self.send("GET", "/token?" + query, wanted, basic(self.user, secret))

    def api(self, method, path, wanted, body=None):
        return self.send(method, path, wanted, {
            "Authorization": "Bearer " + self.bearer, "Content-Type": "application/json",
            "User-Agent": "soak/%d" % self.random.randrange(1 << 40)}, body)

    def make(self):
        token = json.loads(self.api("POST", TOKENS, (201,), {
            "token_label": "soak", "scopes": ["repo:read"], "expires_at": "2099-01-01T00:00:00.5Z"}))
        record(token["token"])
        self.made.append(token["uuid"])

    def change(self):
        if self.made:
            self.api("PATCH", TOKENS + "/" + self.made[-1], (200,),
                     {"is_active": self.random.random() < 0.5, "token_label": "changed"})

    def delete(self):
        while len(self.made) > 3:
            self.api("DELETE", TOKENS + "/" + self.made.pop(0), (202,))

    def desktop(self):
        answer = self.api("POST", TOKENS + "/desktop-generate", (201,), {"device": "soak"})
        record(json.loads(answer)["data"]["token"])

    def login(self):
        body = {"username": self.user, "password": self.world.passwords[self.user]}
        answer = self.send("POST", "/v2/users/login", (200,), None, body)
        self.bearer = record(json.loads(answer)["token"])

    def one(self):
        steps = [(60, lambda: self.token(self.pat, (200,))), (8, lambda: self.token(self.bad, (401,))),
                 (4, lambda: self.token(self.pat[:-1], (401, 429))), (4, self.make),
                 (4, self.change), (4, self.delete), (1, self.desktop), (1, self.login),
                 (4, lambda: self.api("GET", TOKENS + "?page_size=2", (200,))),
                 (4, lambda: self.send("GET", "/verify?need=repo:read", (200,),
                                       {"Authorization": "Bearer " + self.pat})),
                 (2, lambda: self.send("GET", "/metrics", (200,))),
                 (2, lambda: self.send("GET", "/%d" % self.random.randrange(1 << 40), (404,))),
                 (2, lambda: self.send("POST", TOKENS, (401,), None, {"a": "b"}))]
        self.random.choices([s for _, s in steps], [weight for weight, _ in steps])[0]()

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.one()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = redact(repr(error))


def anonymous_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))


def soak(world, seconds):
    for number in range(THREADS):
        world.add_user("soak%d" % number)
    child, port = world.hub("--new-tokens", "1000000", "--address-failures", "1000000",
                            "--account-failures", "1000000")
    end = time.monotonic() + seconds
    loads = [Load(world, port, number, end) for number in range(THREADS)]
    for load in loads:
        load.start()
    samples = []
    while time.monotonic() < end:
        samples.append(anonymous_kib(child.pid))
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        world.patctl("purge", "--before", now)  # as an operator does now and then
        time.sleep(min(0.25, seconds / 40))
    for load in loads:
        load.join()
        load.connection.close()
    failures = [load.failure for load in loads if load.failure]
    assert not failures, failures
    requests = sum(sum(load.statuses.values()) for load in loads)
    statuses = sorted({status for load in loads for status in load.statuses})
    print("soak_test: %d requests in %d s, statuses %s, anonymous memory %d to %d KiB, grown by %d"
          % (requests, seconds, statuses, samples[0], samples[-1], grows(samples)))
    assert requests > 100 and {200, 201, 202, 401, 404} <= set(statuses), statuses
    assert stop(child) == 0
    # Over a short time it is arenas that grow; what leaks does not stop.
    assert grows(samples) <= MOST_GROWTH_KIB, samples
    world.check_logs()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: soak_test.py BIN_DIR")
    check_grows()
    world = World(os.path.abspath(sys.argv[1]))
    try:
        soak(world, float(os.environ.get("PAT_HUB_SOAK_S", "10")))
    except AssertionError as error:
        sys.exit("soak_test: " + redact(str(error)))
    finally:
        world.close()


if __name__ == "__main__":
    main()
