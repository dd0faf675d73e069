# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The servers among the peers, on unix sockets in a directory of their own, gone afterwards."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

WAIT_S = 30.0


def say(text: str) -> None:
    print(f"suite: {text}", file=sys.stderr, flush=True)


def wait_for(there: Callable[[], bool], server: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end and server.poll() is None:
        if there():
            return True
        time.sleep(0.05)
    return False


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextlib.contextmanager
def redis(directory: Path) -> Iterator[dict[str, str]]:
    """PAT_BENCH_REDIS_SOCKET of a server that only answers there; nothing if there is none."""
    program = shutil.which("redis-server")
    if program is None:
        yield {}
        return
    socket = directory / "redis.socket"
    settings = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    settings += ["--save", "", "--appendonly", "no", "--dir", str(directory), "--databases", "16"]
    with open(directory / "redis.log", "wb") as log:
        server = subprocess.Popen([program, *settings], stdout=log, stderr=log)
    try:
        if wait_for(socket.is_socket, server):
            yield {"PAT_BENCH_REDIS_SOCKET": str(socket)}
        else:
            say("redis-server does not start")
            yield {}
    finally:
        stop(server)


def as_owner(directory: Path) -> list[str] | None:
    """What to put before a command of PostgreSQL, which does not run as root."""
    if os.getuid() != 0:
        return []
    runuser = shutil.which("runuser")
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError:
        return None
    os.chown(directory, owner.pw_uid, owner.pw_gid)
    return None if runuser is None else [runuser, "-u", "postgres", "--"]


@contextlib.contextmanager
def postgres(directory: Path) -> Iterator[dict[str, str]]:
    """PAT_BENCH_POSTGRES_DIR of a cluster that only answers there; nothing if there is none."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    directory.mkdir()
    before = as_owner(directory)
    if not programs or before is None:
        yield {}
        return
    programs_dir = Path(programs[-1]).parent
    data = directory / "data"
    with open(directory.parent / "postgres.log", "wb") as log:
        made = subprocess.run(
            [*before, programs_dir / "initdb", "-D", data, "-U", "bench", "--auth=trust", "-N"],
            stdout=log,
            stderr=log,
            cwd="/",
        )
        if made.returncode != 0:
            say("PostgreSQL's initdb fails")
            yield {}
            return
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={directory}"]
        settings += ["-c", "shared_buffers=512MB", "-c", "fsync=off", "-c", "autovacuum=off"]
        server = subprocess.Popen(
            [*before, programs_dir / "postgres", "-D", data, *settings],
            stdout=log,
            stderr=log,
            cwd="/",
        )
    try:
        if wait_for((directory / ".s.PGSQL.5432").is_socket, server):
            time.sleep(0.5)  # the socket comes shortly before the answers
            yield {"PAT_BENCH_POSTGRES_DIR": str(directory)}
        else:
            say("PostgreSQL does not start")
            yield {}
    finally:
        stop(server)


@contextlib.contextmanager
def all_servers() -> Iterator[dict[str, str]]:
    """The environment in which the peers' benchmarks find their servers."""
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="pat-bench-"))
        directory = Path(temporary)
        directory.chmod(0o711)  # PostgreSQL's user passes through
        found = dict(stack.enter_context(redis(directory)))
        found.update(stack.enter_context(postgres(directory / "postgres")))
        yield found
