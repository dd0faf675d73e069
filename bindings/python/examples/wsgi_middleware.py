# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""A WSGI middleware: lets in who presents a good token, as environ["libpat.principal"].

    application = TokenAuth(application, authority, account_of=users.id_of_login)

With servers that fork workers (gunicorn, uWSGI), open the authority in the worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from authorization import AccountOf, answer, decide

import libpat

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TokenAuth:
    def __init__(
        self,
        application: WSGIApplication,
        authority: libpat.Authority,
        account_of: AccountOf,
        need: str | tuple[str, ...] = (),
        realm: str = "tokens",
    ) -> None:
        self._application = application
        self._authority = authority
        self._account_of = account_of
        self._need = need
        self._realm = realm

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("libpat.principal", None)
        try:
            environ["libpat.principal"] = decide(
                self._authority,
                environ.get("HTTP_AUTHORIZATION", ""),
                self._account_of,
                self._need,
                environ.get("REMOTE_ADDR", ""),
                environ.get("HTTP_USER_AGENT", ""),
            )
        except libpat.Refused as refused:
            status, headers, body = answer(refused, self._realm)
            start_response(f"{status} {HTTPStatus(status).phrase}", headers)
            return [body]
        return self._application(environ, start_response)
