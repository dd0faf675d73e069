#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What a desktop program does with hub, as small as it can be: it signs in, keeps the token that
hub generates for it where container tools look for one, and forgets it when the session ends.

  desktop.py sign-in HUB_URL REGISTRY USER --authfile FILE [--device NAME]
      reads the password from standard input, and a second line with a code if hub asks for one
  desktop.py sign-out REGISTRY --authfile FILE

Signing out removes this computer's copy alone. The token stays listed at hub until its owner
deletes it or five newer sign-ins have taken its place: so no sign-out can be forgotten for ever."""

import argparse
import base64
import getpass
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request


def ask(prompt):
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def post(url, body, bearer=None):
    """(status, answer)"""
    headers = {"Content-Type": "application/json", "User-Agent": "hub-desktop/1"}
    if bearer:
        headers["Authorization"] = "Bearer " + bearer
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def generate_token(hub, user, device):
    """Signs in and lets hub generate a token for this computer."""
    status, answer = post(hub + "/v2/users/login", {"username": user, "password": ask("Password: ")})
    if status == 401 and "login_2fa_token" in answer:
        status, answer = post(hub + "/v2/users/2fa-login", {
            "login_2fa_token": answer["login_2fa_token"], "code": ask("Code: ")})
    if status != 200:
        sys.exit("desktop.py: " + answer["message"])
    body = {"device": device} if device else {}
    status, answer = post(hub + "/v2/access-tokens/desktop-generate", body, answer["token"])
    if status != 201:
        sys.exit("desktop.py: " + answer["message"])
    return answer["data"]["token"]


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def write(path, content):
    """Whole or not at all, and for nobody else to read (mkstemp's mode is 0600)."""
    fd, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(temporary, path)


def sign_in(options):
    token = generate_token(options.hub.rstrip("/"), options.user, options.device)
    auth = base64.b64encode(f"{options.user}:{token}".encode()).decode()
    content = read(options.authfile)
    content.setdefault("auths", {})[options.registry] = {"auth": auth}
    write(options.authfile, content)


def sign_out(options):
    content = read(options.authfile)
    if content.get("auths", {}).pop(options.registry, None) is not None:
        write(options.authfile, content)


def main():
    parser = argparse.ArgumentParser(description="A desktop's sign-in at hub.")
    verbs = parser.add_subparsers(required=True)
    enter = verbs.add_parser("sign-in")
    enter.add_argument("hub")
    enter.add_argument("registry")
    enter.add_argument("user")
    enter.add_argument("--device")
    enter.set_defaults(run=sign_in)
    leave = verbs.add_parser("sign-out")
    leave.add_argument("registry")
    leave.set_defaults(run=sign_out)
    for verb in (enter, leave):
        verb.add_argument("--authfile", required=True)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
