# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""An ASGI middleware: lets in who presents a good token, as scope["state"]["principal"].

    app = TokenAuth(app, authority, account_of=users.id_of_login)

verify() is called in the event loop: it takes microseconds and waits for nothing. issue(), update()
and the like write to the disk: call them by asyncio.to_thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from authorization import AccountOf, answer, decide

import libpat

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TokenAuth:
    def __init__(
        self,
        app: Application,
        authority: libpat.Authority,
        account_of: AccountOf,
        need: str | tuple[str, ...] = (),
        realm: str = "tokens",
    ) -> None:
        self._app = app
        self._authority = authority
        self._account_of = account_of
        self._need = need
        self._realm = realm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):  # lifespan: nobody presents anything
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        client = scope.get("client")
        try:
            who = decide(
                self._authority,
                headers.get(b"authorization", b"").decode("latin-1"),
                self._account_of,
                self._need,
                client[0] if client else "",
                headers.get(b"user-agent", b"").decode("latin-1"),
            )
        except libpat.Refused as refused:
            await self._refuse(scope, refused, send)
            return
        state = {**scope.get("state", {}), "principal": who}
        await self._app({**scope, "state": state}, receive, send)

    async def _refuse(self, scope: Scope, refused: libpat.Refused, send: Send) -> None:
        if scope["type"] == "websocket":  # before it is accepted: the server answers 403
            await send({"type": "websocket.close", "code": 1008})
            return
        status, headers, body = answer(refused, self._realm)
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})
