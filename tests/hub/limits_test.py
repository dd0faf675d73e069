#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""limits_test.py BIN_DIR: hub under clients that mean it no good: many, slow, oversized, guessing;
and how it stops. Plain sockets on loopback. Prints each case; exit 1 if one failed."""

import http.client
import os
import resource
import select
import socket
import ssl
import sys
import threading
import time
import warnings

from world import HINT, World, basic, case, request, run_program, stop, wait_for

IDLE = 10000


class Context(World):
    def __init__(self, bin_dir):
        super().__init__(bin_dir)
        self.secret, _ = self.issue("alice", "repo:write")
        self.hub_child, self.port = self.hub("--request-timeout", "300")

    def call_over_tls(self, port, context, user, password):
        """The status of a login with a password, which another thread checks."""
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        connection.request("GET", "/token?service=registry-test&account=" + user,
                           headers=basic(user, password))
        status = connection.getresponse().status
        connection.close()
        return status

    def connect(self, port=None):
        s = socket.create_connection(("127.0.0.1", port or self.port), timeout=60)
        return s

    def login_seconds(self):
        """How long a login takes."""
        begun = time.monotonic()
        answer = self.token(self.port, "alice", self.secret)
        assert answer.status == 200, answer.status
        return time.monotonic() - begun

    def at_once(self, count, work):
        """The results of `work` called by so many threads at the same time."""
        results, barrier = [], threading.Barrier(count)

        def run():
            barrier.wait()
            results.append(work())

        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == count
        return results


def closed_within(sock, seconds):
    """Whether the other side ends the connection in that time, whatever it says before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([sock], [], [], 0.1)[0]:
            try:
                if not sock.recv(65536):
                    return True
            except OSError:
                return True
    return False


def answer_of(sock):
    data = b""
    while True:
        try:
            part = sock.recv(65536)
        except OSError:
            part = b""
        if not part:
            return data
        data += part
        if b"\r\n\r\n" in data and data.startswith(b"HTTP/1.1"):
            return data


def status_of(sock):
    data = answer_of(sock)
    return int(data.split()[1]) if data else 0


@case
def health_is_told(c):
    answer = request(c.port, "GET", "/healthz")
    assert answer.status == 200 and answer.json() == {"status": "ok"}


@case
def sixty_half_open_connections_delay_no_login(c):
    held = [c.connect() for _ in range(60)]
    for i, s in enumerate(held):
        s.sendall((b"", b"GE", b"GET /token HTTP/1.1\r\nHost: x\r\nAuth",
                   b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")[i % 4])
    slowest = max(c.login_seconds() for _ in range(20))
    for s in held:
        s.close()
    print("      slowest of 20 logins: %.0f ms" % (1000 * slowest))
    assert slowest < 5, slowest


@case
def ten_thousand_idle_connections_are_held(c):
    def files():
        return len(os.listdir("/proc/%d/fd" % c.hub_child.pid))

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < IDLE + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE + 1000), hard))
    held = []
    try:
        for _ in range(IDLE):
            held.append(c.connect())
        wait_for(lambda: files() >= IDLE, "the connections to be taken")
        print("      login with them: %.0f ms" % (1000 * c.login_seconds()))
        # Each of them still works.
        for s in held[:: IDLE // 50]:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of(s) == 200
        assert files() >= IDLE
    finally:
        for s in held:
            s.close()
    wait_for(lambda: files() < 100, "the connections to be given up")


@case
def what_is_oversized_is_refused(c):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert request(c.port, "POST", "/token", form, b"a" * (65 << 10)).status == 413
    with c.connect() as s:  # chunked: its size is not told
        s.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                  b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        for _ in range(70):
            s.sendall(b"400\r\n" + b"a" * 1024 + b"\r\n")
        s.sendall(b"0\r\n\r\n")
        assert status_of(s) == 413
    with c.connect() as s:  # no end in sight
        s.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < 64 << 20:
                s.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                sent += 65536
        except OSError:
            pass
        assert sent < 64 << 20, "a body of 64 MiB was taken"
    for head in (b"GET /token?" + b"a" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /token HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 40000 + b"\r\n\r\n",
                 b"GET /token HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 5000 + b"\r\n"):
        with c.connect() as s:
            try:
                s.sendall(head)
            except OSError:
                pass
            assert status_of(s) in (0, 400, 413, 414, 431)
    c.login_seconds()


@case
def a_chunked_post_is_read(c):
    with c.connect() as s:
        body = ("grant_type=password&service=registry-test&client_id=x&username=alice&password="
                + c.secret).encode()
        s.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                  b"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\r\n")
        for i in range(0, len(body), 10):
            s.sendall(b"%x\r\n%s\r\n" % (len(body[i:i + 10]), body[i:i + 10]))
        s.sendall(b"0\r\n\r\n")
        assert status_of(s) == 200


@case
def what_is_slow_is_cut_off(c):
    child, port = c.hub("--request-timeout", "2", log="slow.log")
    with c.connect(port) as idle, c.connect(port) as dripping, c.connect(port) as body:
        body.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        stop_dripping = threading.Event()

        def drip():
            while not stop_dripping.wait(0.2):
                try:
                    dripping.sendall(b"G")
                    body.sendall(b"a")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            for s in (dripping, body, idle):
                assert closed_within(s, 20), "it was borne for 20 s"
        finally:
            stop_dripping.set()
            thread.join()
    assert c.token(port, "alice", c.secret).status == 200
    assert stop(child) == 0


@case
def a_hundred_logins_at_once_trip_no_throttle(c):
    statuses = c.at_once(100, lambda: c.token(c.port, "alice", c.secret).status)
    assert set(statuses) == {200}, sorted(set(statuses))
    password = c.passwords["bob"]
    statuses = c.at_once(100, lambda: c.token(c.port, "bob", password).status)
    assert set(statuses) == {200}, sorted(set(statuses))


@case
def password_checks_keep_no_token_waiting(c):
    c.add_user("erin", "--scrypt-log-n", "15")
    password, slowest = c.passwords["erin"], []

    def check():
        begun = time.monotonic()
        assert c.token(c.port, "erin", password).status == 200
        slowest.append(time.monotonic() - begun)

    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    tokens = []
    while any(thread.is_alive() for thread in threads):
        tokens.append(c.login_seconds())
    for thread in threads:
        thread.join()
    assert len(slowest) == 8
    tokens.sort()
    print("      a token meanwhile: median %.0f ms, slowest %.0f ms; slowest password %.0f ms" %
          (1000 * tokens[len(tokens) // 2], 1000 * tokens[-1], 1000 * max(slowest)))
    assert tokens[-1] < max(slowest) / 4, "tokens wait for passwords"


@case
def guesses_are_slowed_down_by_account(c):
    child, port = c.hub("--address-failures", "100000", log="account.log")
    statuses = [c.token(port, "carol", "guess-%d" % i).status for i in range(11)]
    assert statuses[:10] == [401] * 10, statuses
    answer = c.token(port, "carol", c.passwords["carol"])
    assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 30
    # No other account is hit, nor is a token of hers.
    assert c.token(port, "bob", c.passwords["bob"]).status == 200
    secret, _ = c.issue("carol", "repo:read")
    assert c.token(port, "carol", secret).status == 200
    assert stop(child) == 0


@case
def guesses_are_slowed_down_by_address(c):
    child, port = c.hub("--trusted-proxy", "127.0.0.1", log="address.log")
    wrong = c.secret[:-8] + ("A" * 8 if c.secret[-8] != "A" else "B" * 8)

    def attempt(secret, ip, user="alice"):
        return c.token(port, user, secret, **{"X-Forwarded-For": ip})

    statuses = [attempt(wrong, "203.0.113.1").status for _ in range(62)]
    assert statuses[:60] == [401] * 60 and statuses[-1] == 429, statuses
    answer = attempt(c.passwords["bob"], "203.0.113.1", "bob")
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1
    # A good token comes in all the same, and so does everybody from elsewhere.
    assert attempt(c.secret, "203.0.113.1").status == 200
    assert attempt(c.passwords["bob"], "203.0.113.2", "bob").status == 200
    # What a client claims in front of the proxy's word does not count.
    assert attempt(wrong, "198.51.100.7, 203.0.113.1").status == 429
    assert stop(child) == 0


@case
def parallel_guesses_are_counted_too(c):
    child, port = c.hub("--address-failures", "100000", log="parallel.log")
    statuses = c.at_once(60, lambda: c.token(port, "carol", "guess").status)
    tried = statuses.count(401)
    assert tried <= 12 and tried + statuses.count(429) == 60, tried
    assert stop(child) == 0


@case
def a_removed_user_is_refused_at_once(c):
    secret, _ = c.issue("dave", "repo:read")
    assert c.token(c.port, "dave", secret).status == 401
    c.add_user("dave")
    assert c.token(c.port, "dave", secret).status == 200
    with open(c.path("users"), encoding="utf-8") as f:
        lines = [line for line in f if not line.startswith("dave:")]
    with open(c.path("users.new"), "w", encoding="utf-8") as f:
        f.writelines(lines)
    os.chmod(c.path("users.new"), 0o600)
    os.rename(c.path("users.new"), c.path("users"))
    answer = c.token(c.port, "dave", secret)
    assert answer.status == 401 and HINT in answer.json()["details"]


@case
def a_stop_answers_what_is_under_way(c):
    begun = request(c.port, "GET", "/healthz").status
    assert begun == 200
    half = c.connect()
    half.sendall(b"GET /healthz HTTP/1.1\r\nHos")
    results = []

    def password():
        try:
            results.append(c.token(c.port, "bob", c.passwords["bob"]).status)
        except OSError:  # came too late to be connected
            pass

    threads = [threading.Thread(target=password) for _ in range(20)]
    before = c.log("hub.log").count("\n")
    for thread in threads:
        thread.start()
    wait_for(lambda: c.log("hub.log").count("\n") > before, "the first answer")
    c.hub_child.terminate()
    wait_for(lambda: not c.listens(c.port), "hub to listen no more")
    for thread in threads:
        thread.join()
    half.sendall(b"t: x\r\n\r\n")  # nothing else is under way now
    assert status_of(half) == 200, "a half-sent request was dropped"
    half.close()
    assert c.hub_child.wait(timeout=60) == 0
    assert results.count(200) >= 1 and set(results) <= {200, 503}, results


@case
def tls_is_spoken_where_it_is_asked_for(c):
    certificate, key = c.path("keys/token-cert.pem"), c.path("keys/token-key.pem")
    child, port = c.hub("--tls-certificate", certificate, "--tls-key", key, "--request-timeout",
                        "5", log="tls.log")
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False  # the certificate names a key, no host

    def get(context):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
        try:
            connection.request("GET", "/token?service=registry-test&account=alice",
                               headers=basic("alice", c.secret))
            return connection.getresponse().status, connection.sock.version()
        finally:
            connection.close()

    status, version = get(context)
    assert status == 200 and version in ("TLSv1.2", "TLSv1.3"), (status, version)

    def fails(context):
        try:
            get(context)
        except ssl.SSLError:
            return True
        return False

    assert fails(ssl.create_default_context())  # nobody's word for it
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    assert not fails(old)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert fails(old)
    with c.connect(port) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not answer_of(plain).startswith(b"HTTP/1.1 2")
    assert '"url":"https://127.0.0.1:%d"' % port in c.log("tls.log")
    slow = c.call_over_tls(port, context, "bob", c.passwords["bob"])
    assert slow == 200
    assert stop(child) == 0


@case
def no_log_holds_a_secret(c):
    c.check_logs()


@case
def what_serve_is_not_told_to_do_it_does_not(c):
    def serve(*words):
        return c.run(["hub", "serve", "--store", c.path("store"), "--keyring", c.path("keyring"),
                      "--keys", c.path("keys"), "--users", c.path("users"), *words]).bad().out

    assert "in the clear" in serve("--listen", "0.0.0.0:0")
    assert "--public-url" in serve("--listen", "0.0.0.0:0", "--behind-tls")
    for url in ("hub.example.com", "https://hub.example.com/?a", "https://a b", "ftp://a", ""):
        assert "--public-url is" in serve("--listen", "127.0.0.1:0", "--public-url", url)
    assert "go together" in serve("--listen", "127.0.0.1:0", "--tls-key", "x")
    assert "belong together" in serve("--listen", "127.0.0.1:0", "--tls-key", c.path("users"),
                                      "--tls-certificate", c.path("keys/token-cert.pem"))
    assert "60 to 300" in serve("--listen", "127.0.0.1:0", "--jwt-lifetime", "3600")
    assert "listen" in serve("--listen", "localhost")
    os.chmod(c.path("users"), 0o644)
    assert "0600" in serve("--listen", "127.0.0.1:0")
    os.chmod(c.path("users"), 0o600)
    again = c.run(["hub", "keygen", "--keys", c.path("keys")]).bad().out
    assert "there is a key already" in again


if __name__ == "__main__":
    sys.exit(run_program(Context))
