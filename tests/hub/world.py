# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""A hub, registries and tokens for the tests beside this file; all of it on loopback, all of it
gone at the end. Nothing here prints a secret: every token and password is noted for the leak scan,
and taken out of whatever programs wrote before it is shown."""

import base64
import datetime
import hashlib
import hmac
import http.client
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse

HINT = "If the account has two-factor authentication, use an access token."
KNOWN = []  # secrets


def record(secret):
    KNOWN.append(secret)
    path = os.environ.get("PAT_TEST_SECRETS")
    if path:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(fd, (secret + "\n").encode())
        os.close(fd)
    return secret


def redact(text):
    for secret in KNOWN:
        text = text.replace(secret, "<secret>")
    # What a failed test got and did not expect is in no list yet.
    return re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|hub_pat_\w+", "<secret>", text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("in vain waited for " + what)


class Run:
    """What a program left; `out` is both its streams."""

    def __init__(self, status, out):
        self.status, self.out = status, out

    def good(self):
        assert self.status == 0, "status %d: %s" % (self.status, redact(self.out))
        return self

    def bad(self):
        assert self.status != 0, "it succeeded: " + redact(self.out)
        return self


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


def request(port, method, path, headers=None, body=None, timeout=60):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def totp(key, steps=0):
    """The code of an authenticator app (RFC 6238), so many steps from now."""
    step = int(time.time()) // 30 + steps
    mac = hmac.new(base64.b32decode(key + "=" * (-len(key) % 8)), step.to_bytes(8, "big"), "sha1")
    digest = mac.digest()
    at = digest[19] & 15
    return "%06d" % ((int.from_bytes(digest[at:at + 4], "big") & 0x7FFFFFFF) % 1000000)


def jwt_claims(jwt):
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def basic(user, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


class World:
    """A folder with a store, keys and users: alice (two-factor on), bob and carol (not)."""

    def __init__(self, bin_dir):
        self.bin = bin_dir
        self.dir = tempfile.mkdtemp(prefix="hub-test-")
        self.children = []
        self.passwords = {}
        self.totp_keys = {}
        self.logs = []
        os.mkdir(self.path("runtime"), 0o700)
        self.run(["hub", "keygen", "--keys", self.path("keys")]).good()
        self.patctl("init", "--prefix", "hub_pat_")
        for name, more in (("alice", ["--totp"]), ("bob", []), ("carol", [])):
            self.add_user(name, *more)

    def path(self, name):
        return os.path.join(self.dir, name)

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.terminate()  # the demo has children of its own to end
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def environment(self, **more):
        # Without REGISTRY_*: docker-registry takes those for its configuration.
        env = {"PATH": os.environ["PATH"], "HOME": self.dir, "LC_ALL": "C.UTF-8",
               "XDG_RUNTIME_DIR": self.path("runtime")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more)
        return env

    def run(self, words, stdin="", timeout=120):
        ours = os.path.join(self.bin, words[0])
        words = [ours if os.path.exists(ours) else words[0]] + [str(w) for w in words[1:]]
        done = subprocess.run(words, input=stdin.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.environment(), timeout=timeout,
                              cwd=self.dir, check=False)
        return Run(done.returncode, done.stdout.decode("utf-8", "replace"))

    def start(self, words, log):
        ours = os.path.join(self.bin, words[0])
        words = [ours if os.path.exists(ours) else words[0]] + [str(w) for w in words[1:]]
        with open(self.path(log), "wb") as out:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.STDOUT, env=self.environment(),
                                     cwd=self.dir)
        self.children.append(child)
        self.logs.append(log)
        return child

    def log(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as f:
            return f.read()

    # ---- users and tokens

    def add_user(self, name, *more):
        self.passwords[name] = record(secrets.token_urlsafe(18))
        added = self.run(["hub", "adduser", name, "--users", self.path("users"), "--scrypt-log-n",
                          "10", *more], self.passwords[name] + "\n").good()
        if "secret=" in added.out:
            self.totp_keys[name] = record(added.out.split("secret=")[1].split("&")[0])

    def patctl(self, *words):
        done = subprocess.run(
            [os.path.join(self.bin, "patctl"), "--store", self.path("store"), "--keyring",
             self.path("keyring"), "--json", *words], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environment(), timeout=120, check=False)
        assert done.returncode == 0, redact(done.stderr.decode())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def issue(self, account, scope, expires_in=None):
        """A new token: its text and its id."""
        more = []
        if expires_in is not None:
            at = datetime.datetime.now(datetime.timezone.utc)
            at += datetime.timedelta(seconds=expires_in)
            more = ["--expires", at.strftime("%Y-%m-%dT%H:%M:%SZ")]
        token = self.patctl("issue", "--account", account, "--description", "test", "--scope",
                            scope, *more)
        return record(token["token"]), token["id"]

    # ---- the API

    def call(self, port, method, path, body=None, bearer=None, **headers):
        """A call of the API; `body` becomes JSON unless it is bytes."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if bearer:
            headers["Authorization"] = "Bearer " + bearer
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        return request(port, method, path, headers, body)

    def sign_in(self, port, name, code_steps=0):
        """A bearer made from the password, and a code if that is wanted."""
        answer = self.call(port, "POST", "/v2/users/login",
                           {"username": name, "password": self.passwords[name]})
        if answer.status == 401 and "login_2fa_token" in answer.json():
            answer = self.call(port, "POST", "/v2/users/2fa-login", {
                "login_2fa_token": record(answer.json()["login_2fa_token"]),
                "code": totp(self.totp_keys[name], code_steps)})
        assert answer.status == 200, (answer.status, answer.body)
        return record(answer.json()["token"])

    # ---- servers

    def hub(self, *more, log="hub.log"):
        """A hub on a port of its own; (process, port)."""
        child = self.start(
            ["hub", "serve", "--store", self.path("store"), "--keyring", self.path("keyring"),
             "--keys", self.path("keys"), "--users", self.path("users"), "--listen", "127.0.0.1:0",
             "--issuer", "hub-test", "--service", "registry-test", *more], log)

        def port():
            assert child.poll() is None, "hub ended: " + redact(self.log(log))
            words = self.log(log).split('"event":"listening","port":')
            return int(words[1].split(",")[0]) if len(words) > 1 else None

        return child, wait_for(port, "hub to listen")

    def registry(self, name, hub_port=None, port=None):
        """Debian's docker-registry; asks the hub if there is one, else lets everybody in."""
        port = port or free_port()
        config = {"version": "0.1", "log": {"level": "warn"},
                  "storage": {"filesystem": {"rootdirectory": self.path(name)},
                              "delete": {"enabled": True}},
                  "http": {"addr": f"127.0.0.1:{port}"}}
        if hub_port:
            config["auth"] = {"token": {
                "realm": f"http://127.0.0.1:{hub_port}/token", "service": "registry-test",
                "issuer": "hub-test", "rootcertbundle": self.path("keys/token-cert.pem")}}
        with open(self.path(name + ".yml"), "w", encoding="utf-8") as f:
            json.dump(config, f)  # JSON is YAML
        self.start(["docker-registry", "serve", self.path(name + ".yml")], name + ".log")
        wait_for(lambda: self.listens(port), name)
        return port

    def listens(self, port):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def nginx(self, hub_port, registry_port):
        port = free_port()
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as f:
            f.write(NGINX % {"dir": self.dir, "port": port, "hub": hub_port,
                             "registry": registry_port})
        self.start(["/usr/sbin/nginx", "-c", self.path("nginx.conf"), "-p", self.dir, "-e",
                    self.path("nginx.err")], "nginx.log")
        wait_for(lambda: self.listens(port), "nginx")
        return port

    def token(self, port, user, secret, scopes=(), **headers):
        """GET /token as clients do."""
        query = [("service", "registry-test"), ("account", user)] + [("scope", s) for s in scopes]
        return request(port, "GET", "/token?" + urllib.parse.urlencode(query),
                       {**basic(user, secret), **headers})

    def check_logs(self):
        for log in self.logs:
            text = self.log(log)
            assert all(secret not in text for secret in KNOWN), "a secret in " + log
        planted = self.log(self.logs[0]) + KNOWN[0]
        assert any(secret in planted for secret in KNOWN), "the scan finds nothing"


NGINX = """daemon off;
worker_processes 1;
user root;
pid %(dir)s/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %(dir)s/nginx-body;
  proxy_temp_path %(dir)s/nginx-proxy;
  fastcgi_temp_path %(dir)s/nginx-fastcgi;
  uwsgi_temp_path %(dir)s/nginx-uwsgi;
  scgi_temp_path %(dir)s/nginx-scgi;
  server {
    listen 127.0.0.1:%(port)s;
    client_max_body_size 0;
    location /v2/ {
      auth_request /verify;
      add_header Docker-Distribution-Api-Version registry/2.0 always;
      proxy_pass http://127.0.0.1:%(registry)s;
      proxy_set_header Host $http_host;
    }
    location = /verify {
      internal;
      proxy_pass http://127.0.0.1:%(hub)s/verify;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
"""


def write_image(directory, text):
    """An OCI layout with one image, tagged `latest`, whose one layer holds `text`."""
    blobs = os.path.join(directory, "blobs", "sha256")
    os.makedirs(blobs)

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest,
                "size": len(data)}

    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo("hello.txt")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    layer = blob(tar.getvalue(), "layer.v1.tar")
    config = blob(json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode(), "config.v1+json")
    manifest = blob(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [layer]}).encode(), "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(directory, "index.json"), "w", encoding="utf-8") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(os.path.join(directory, "oci-layout"), "w", encoding="utf-8") as f:
        f.write('{"imageLayoutVersion": "1.0.0"}')


CASES = []


def case(function):
    CASES.append(function)
    return function


def run_cases(context):
    """Runs every @case with `context`; the exit status."""
    failed = 0
    for function in CASES:
        name = function.__name__.replace("_", " ")
        begun = time.monotonic()
        try:
            function(context)
            print("ok    %5.1f s  %s" % (time.monotonic() - begun, name), flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            kind = "" if isinstance(error, AssertionError) else type(error).__name__ + ": "
            print("FAIL  %s: %s%s" % (name, kind, redact(str(error))), flush=True)
    print("%d cases, %d failed" % (len(CASES), failed))
    return 1 if failed or not CASES else 0


def run_program(context_class):
    """A test's main program: its one argument is where the programs are; the exit status."""
    if len(sys.argv) != 2:
        sys.exit("usage: %s BIN_DIR" % os.path.basename(sys.argv[0]))
    context = context_class(os.path.abspath(sys.argv[1]))
    try:
        return run_cases(context)
    finally:
        context.close()


def stop(child):
    """Ends a server as an operator would; its exit status."""
    child.send_signal(signal.SIGTERM)
    return child.wait(timeout=60)


if __name__ == "__main__":
    sys.exit("run clients_test.py or limits_test.py")
