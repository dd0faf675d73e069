# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What both middlewares share: reads an Authorization header, decides, and says what to answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import libpat

#: From a login name to the account id, None if there is no such login.
AccountOf = Callable[[str], str | None]


def decide(
    authority: libpat.Authority,
    header: str,
    account_of: AccountOf,
    need: str | tuple[str, ...] = (),
    ip: str = "",
    user_agent: str = "",
) -> libpat.Principal:
    """Bearer TOKEN, or Basic LOGIN:TOKEN as git and docker send it. Raises Refused."""
    scheme, _, credentials = header.partition(" ")
    claim: str | libpat.Claim | None = None
    token = credentials.strip()
    if scheme.lower() == "basic":
        login, token = _basic(token)
        claim = account_of(login) or libpat.UNKNOWN_ACCOUNT
    elif scheme.lower() != "bearer":
        raise libpat.Refused(libpat.RefusalReason.NOT_TOKEN)
    return authority.verify(token, account=claim, need=need, ip=ip, user_agent=user_agent)


def _basic(credentials: str) -> tuple[str, str]:
    try:
        login, _, token = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return login, token


def answer(refused: libpat.Refused, realm: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body: they tell no more than RFC 6750 wants told."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    if refused.http_status != 503:
        error = f'error="{refused.oauth_error}"'
        headers.append(("WWW-Authenticate", f'Bearer realm="{realm}", {error}'))
        headers.append(("WWW-Authenticate", f'Basic realm="{realm}", charset="UTF-8"'))
    return refused.http_status, headers, refused.public_message.encode()
