#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""clients_test.py BIN_DIR DOCKER: the real docker CLI (the program DOCKER, no daemon), skopeo,
podman and buildah against hub and Debian's docker-registry. Prints each case; exit 1 if one
failed."""

import base64
import json
import os
import re
import signal
import sys
import time

from world import (HINT, World, case, jwt_claims, record, request, run_cases, stop, totp, wait_for,
                   write_image)

CLIENTS = ("docker", "skopeo", "podman", "buildah")


class Context(World):
    def __init__(self, bin_dir, docker):
        super().__init__(bin_dir)
        self.docker = docker
        self.read, _ = self.issue("alice", "repo:read")
        self.write, _ = self.issue("alice", "repo:write")
        self.admin, _ = self.issue("alice", "repo:admin")
        self.public, _ = self.issue("alice", "repo:public_read")
        self.bobs, _ = self.issue("bob", "repo:admin")
        self.expired, _ = self.issue("alice", "repo:admin", expires_in=2)
        self.expires_at = time.time() + 3
        with open(self.path("public"), "w", encoding="utf-8") as f:
            f.write("bob/shared   # everybody's\n")
        # Many refusals from one address are the point here; limits_test.py has the throttle.
        self.hub_child, self.hub_port = self.hub(
            "--address-failures", "100000", "--account-failures", "100000",
            "--public-repositories", self.path("public"))
        self.port = self.registry("registry", self.hub_port)
        write_image(self.path("image"), "one")
        write_image(self.path("other-image"), "two")

    def client(self, name, *words, stdin=""):
        """Runs a client with a login of its own kept in a file."""
        auth = self.path("auth-" + name + ".json")
        if not os.path.exists(auth):
            with open(auth, "w", encoding="utf-8") as f:
                f.write("{}")
        words = list(words)
        if name == "docker":
            return self.run([self.docker, "--config", self.path("docker"), *words], stdin)
        if name == "skopeo":
            return self.run(["skopeo", *words], stdin)
        storage = ["--root", self.path("containers"), "--runroot", self.path("containers-run"),
                   "--storage-driver", "vfs"]
        return self.run([name, *storage, *words], stdin)

    def flags(self, name, *prefixes):
        """What makes a client speak plain HTTP and keep its login to itself."""
        if name == "docker":
            return []
        return ["--authfile", self.path("auth-" + name + ".json")] + [
            "--%stls-verify=false" % prefix for prefix in prefixes or ("",)]

    def login(self, name, user, secret, port=None):
        return self.client(name, "login", *self.flags(name), "--username", user,
                           "--password-stdin", f"127.0.0.1:{port or self.port}", stdin=secret)

    def logout(self, name, port=None):
        words = [] if name == "docker" else ["--authfile", self.path("auth-" + name + ".json")]
        return self.client(name, "logout", *words, f"127.0.0.1:{port or self.port}")

    def image(self, repository, port=None):
        return f"127.0.0.1:{port or self.port}/{repository}"

    def push(self, repository, port=None, image="image"):
        # Docker's own format: the docker CLI of this age reads no other.
        return self.client("skopeo", "copy", "--format", "v2s2", *self.flags("skopeo", "dest-"),
                           f"oci:{self.path(image)}:latest",
                           "docker://" + self.image(repository, port))

    def pull(self, repository, port=None):
        target = self.path("pulled-%d" % time.monotonic_ns())
        return self.client("skopeo", "copy", *self.flags("skopeo", "src-"),
                           "docker://" + self.image(repository, port), "dir:" + target)

    def inspect(self, repository):
        return self.client("skopeo", "inspect", *self.flags("skopeo"),
                           "docker://" + self.image(repository))

    def delete(self, repository, port=None):
        return self.client("skopeo", "delete", *self.flags("skopeo"),
                           "docker://" + self.image(repository, port))

    def registry_status(self, jwt, path, method="GET"):
        return request(self.port, method, path, {"Authorization": "Bearer " + jwt}).status

    def jwt(self, secret, *scopes, user="alice"):
        answer = self.token(self.hub_port, user, secret, scopes)
        assert answer.status == 200, answer.status
        return record(answer.json()["token"])


@case
def every_client_logs_in_and_out_with_a_token(c):
    for name in CLIENTS:
        for secret in (c.read, c.write, c.admin):
            c.login(name, "alice", secret).good()
        c.logout(name).good()


@case
def every_client_is_refused_what_is_no_good_token(c):
    inactive, inactive_id = c.issue("alice", "repo:admin")
    c.patctl("deactivate", inactive_id)
    deleted, deleted_id = c.issue("alice", "repo:admin")
    c.patctl("delete", deleted_id)
    swapped = record(c.read[:40] + ("A" if c.read[40] != "A" else "B") + c.read[41:])
    wait_for(lambda: time.time() > c.expires_at, "a token to expire")
    refused = {"inactive": inactive, "expired": c.expired, "deleted": deleted, "wrong": swapped,
               "cut": c.read[:-1], "padded": c.read + "=", "another account's": c.bobs,
               "the password under two-factor authentication": c.passwords["alice"]}
    for name in CLIENTS:
        for what, secret in refused.items():
            before = c.log("hub.log").count('"status":401')
            run = c.login(name, "alice", secret)
            assert run.status != 0, f"{name} logged in with {what}"
            assert c.log("hub.log").count('"status":401') > before, f"no 401 for {what}"
            # skopeo, podman and buildah have a text of their own for every 401.
            wanted = HINT if name == "docker" else "invalid username/password"
            assert wanted in run.out, f"{name}, {what}: {run.out}"
    for secret in refused.values():
        answer = c.token(c.hub_port, "alice", secret)
        assert answer.status == 401 and HINT in answer.json()["details"], answer.status
    log = c.log("hub.log")
    for reason in ("inactive", "expired", "deleted", "bad_checksum", "wrong_password",
                   "wrong_account", "password_refused"):
        assert '"reason":"%s"' % reason in log, reason


@case
def an_account_without_two_factor_authentication_may_use_its_password(c):
    for name in CLIENTS:
        c.login(name, "bob", c.passwords["bob"]).good()
        c.login(name, "bob", c.passwords["alice"]).bad()
        c.logout(name).good()


@case
def a_write_token_pushes_and_pulls_but_cannot_delete(c):
    c.login("skopeo", "alice", c.write).good()
    c.push("alice/app:1").good()
    c.push("alice/app:1", image="other-image").good()  # one blob is there already
    c.push("alice/copy:1").good()  # mounts blobs of alice/app: two scopes
    c.pull("alice/app:1").good()
    c.inspect("alice/app:1").good()
    c.delete("alice/app:1").bad()
    c.inspect("alice/app:1").good()


@case
def a_read_token_pulls_but_cannot_push_or_delete(c):
    c.login("skopeo", "alice", c.read).good()
    c.pull("alice/app:1").good()
    c.inspect("alice/app:1").good()
    c.push("alice/app:2").bad()
    c.delete("alice/app:1").bad()
    c.inspect("alice/app:1").good()


@case
def a_read_write_delete_token_deletes(c):
    c.login("skopeo", "alice", c.admin).good()
    c.push("alice/gone:1").good()
    c.inspect("alice/gone:1").good()
    c.delete("alice/gone:1").good()
    c.inspect("alice/gone:1").bad()


@case
def nobody_gets_into_anothers_repositories_but_to_pull_public_ones(c):
    c.login("skopeo", "bob", c.bobs).good()
    c.push("bob/shared:1").good()
    c.push("bob/private:1").good()
    c.pull("alice/app:1").bad()
    c.push("alice/app:3").bad()
    for secret in (c.public, c.admin):
        c.login("skopeo", "alice", secret).good()
        c.pull("bob/shared:1").good()
        c.push("bob/shared:2").bad()
        c.pull("bob/private:1").bad()
    c.login("skopeo", "alice", c.public).good()
    c.pull("alice/app:1").bad()


@case
def docker_reads_a_manifest_with_a_read_token(c):
    c.login("docker", "alice", c.read).good()
    run = c.client("docker", "manifest", "inspect", "--insecure", c.image("alice/app:1")).good()
    assert "schemaVersion" in run.out
    c.logout("docker").good()
    c.client("docker", "manifest", "inspect", "--insecure", c.image("alice/app:1")).bad()


@case
def podman_and_buildah_push_with_write_and_pull_with_read(c):
    for name in ("podman", "buildah"):
        c.login(name, "alice", c.write).good()
        c.client(name, "pull", f"oci:{c.path('image')}:latest").good()
        found = c.client(name, "images", "--quiet", "--no-trunc").good().out.split()
        target = c.image(f"alice/by-{name}:1")
        c.client(name, "push", *c.flags(name), found[0], "docker://" + target).good()
        c.login(name, "alice", c.read).good()
        c.client(name, "pull", *c.flags(name), target).good()
        c.client(name, "push", *c.flags(name), found[0], "docker://" + target + "-no").bad()
        c.client(name, "rmi", "--all", "--force").good()
    c.inspect("alice/by-podman:1")


@case
def the_catalog_stays_closed(c):
    jwt = c.jwt(c.admin, "registry:catalog:*", "repository:alice/app:pull")
    assert [a["name"] for a in jwt_claims(jwt)["access"]] == ["alice/app"]
    assert c.registry_status(jwt, "/v2/_catalog") == 401
    c.login("podman", "alice", c.admin).good()
    run = c.client("podman", "search", *c.flags("podman"), f"127.0.0.1:{c.port}/app")
    assert "alice/app" not in run.out, run.out


@case
def a_jwt_for_one_repository_opens_no_other(c):
    jwt = c.jwt(c.admin, "repository:alice/app:pull")
    assert c.registry_status(jwt, "/v2/alice/app/tags/list") == 200
    assert c.registry_status(jwt, "/v2/alice/copy/tags/list") == 401
    assert c.registry_status(jwt, "/v2/alice/app/blobs/uploads/", "POST") == 401
    everything = c.jwt(c.read, "repository:alice/app:*")
    assert jwt_claims(everything)["access"][0]["actions"] == ["pull"]
    assert c.registry_status(everything, "/v2/alice/app/blobs/uploads/", "POST") == 401


@case
def nobody_comes_in_anonymously(c):
    answer = request(c.hub_port, "GET",
                     "/token?service=registry-test&scope=repository:bob/shared:pull")
    assert answer.status == 401 and HINT in answer.json()["details"]
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    c.client("skopeo", "logout", "--authfile", c.path("auth-skopeo.json"), "--all").good()
    c.pull("bob/shared:1").bad()
    assert request(c.port, "GET", "/v2/").status == 401


@case
def deactivation_stops_a_stored_login_at_once(c):
    for name in CLIENTS:
        secret, number = c.issue("alice", "repo:read")
        c.login(name, "alice", secret).good()
        words = {
            "docker": ["manifest", "inspect", "--insecure", c.image("alice/app:1")],
            "skopeo": ["inspect", *c.flags("skopeo"), "docker://" + c.image("alice/app:1")],
        }.get(name, ["pull", *c.flags(name), *(["--policy", "always"] if name == "buildah" else []),
                     c.image("alice/app:1")])
        c.client(name, *words).good()
        c.patctl("deactivate", number)
        c.client(name, *words).bad()
        c.patctl("activate", number)
        c.client(name, *words).good()


@case
def nginx_asks_hub_in_front_of_a_registry_that_lets_everybody_in(c):
    port = c.nginx(c.hub_port, c.registry("open-registry"))
    for name in ("docker", "skopeo"):
        c.login(name, "alice", c.read + "=", port).bad()
        c.login(name, "alice", c.passwords["alice"], port).bad()
        c.login(name, "alice", c.read, port).good()
    c.push("alice/app:1", port).bad()
    c.login("skopeo", "alice", c.write, port).good()
    c.push("alice/app:1", port).good()
    c.push("bob/app:1", port).bad()
    c.delete("alice/app:1", port).bad()
    c.login("skopeo", "alice", c.read, port).good()
    c.pull("alice/app:1", port).good()
    c.login("skopeo", "alice", c.admin, port).good()
    c.delete("alice/app:1", port).good()
    assert request(port, "GET", "/v2/_catalog").status == 401
    c.logout("docker", port).good()


@case
def the_demo_lets_one_try_it_and_cleans_up(c):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "../../examples/hub/demo.sh")
    before = set(os.listdir("/tmp"))
    child = c.start(["sh", script, c.bin], "demo.out")
    c.logs.remove("demo.out")  # it is there to show tokens

    def is_up():
        assert child.poll() is None, "the demo ended: " + c.log("demo.out")
        return "Ctrl-C ends" in c.log("demo.out")

    wait_for(is_up, "the demo")
    text = c.log("demo.out")
    tokens = [record(t) for t in re.findall("hub_pat_[0-9A-Za-z]{55}", text)]
    password = record(re.search(r"password ([0-9a-f]+),", text).group(1))
    key = record(re.search(r"^ +([A-Z2-7]{32})  ", text, re.MULTILINE).group(1))
    port = int(re.search(r"A registry on 127.0.0.1:(\d+)", text).group(1))
    assert len(tokens) == 3
    wait_for(lambda: c.listens(port), "the demo's registry")
    c.login("docker", "demo", tokens[0], port).good()
    c.login("skopeo", "demo", tokens[2], port).good()
    c.push("demo/app", port).good()
    hub_port = int(re.search(r"token server on 127.0.0.1:(\d+)", text).group(1))
    assert b"hub_tokens{" in request(hub_port, "GET", "/metrics").body
    desktop = re.search(r"^ +(\S+/desktop.py .*) --authfile", text, re.MULTILINE).group(1).split()
    auth = c.path("demo-desktop.json")
    c.run(desktop + ["--authfile", auth], password + "\n" + totp(key) + "\n").good()
    c.client("skopeo", "inspect", "--authfile", auth, "--tls-verify=false",
             "docker://" + c.image("demo/app", port)).good()
    c.delete("demo/app", port).good()
    child.send_signal(signal.SIGINT)
    child.wait(timeout=60)
    assert not c.listens(port), "the registry goes on"
    left = [d for d in set(os.listdir("/tmp")) - before if os.path.exists(f"/tmp/{d}/registry.yml")]
    assert not left, left


@case
def the_last_use_and_its_address_are_listed_afterwards(c):
    secret, number = c.issue("alice", "repo:read")
    c.login("skopeo", "alice", secret).good()
    assert stop(c.hub_child) == 0, "hub did not stop well"
    listed = c.patctl("list", "--account", "alice")
    token = next(t for t in listed["tokens"] if t["id"] == number)
    assert token["last_used_at"] and token["last_used_ip"] == "127.0.0.1", token
    assert "skopeo" in token["last_used_user_agent"], token


@case
def no_log_holds_a_secret(c):
    c.check_logs()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: clients_test.py BIN_DIR DOCKER")
    if not os.access(sys.argv[2], os.X_OK):
        sys.exit("no docker CLI at " + sys.argv[2])
    context = Context(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
    try:
        return run_cases(context)
    finally:
        context.close()


if __name__ == "__main__":
    sys.exit(main())
