# What decide.c builds.
from collections.abc import Callable, Iterable
from typing import Any

from .principal import Claim, Principal
from .scope import Declared

DECISION_BYTES: int

class Gate:
    pointer: object
    running: int
    shut: bool
    def __init__(self, pointer: object, address: int) -> None: ...
    def __enter__(self) -> object: ...
    def __exit__(self, *_: object) -> None: ...

class Decided:
    def __new__(cls, raw: bytes, declared: Declared) -> Decided: ...
    @property
    def account(self) -> str: ...
    @property
    def token_id(self) -> int | None: ...
    @property
    def _raw(self) -> bytes: ...
    @property
    def _declared(self) -> Declared: ...
    @property
    def _bits(self) -> int: ...
    @property
    def _method(self) -> int: ...
    @property
    def _origin(self) -> int: ...

class Verifier:
    def verify(
        self,
        text: str | bytes,
        *,
        account: str | bytes | Claim | None = None,
        need: str | Iterable[str] = (),
        ip: str | bytes = b"",
        user_agent: str | bytes = b"",
    ) -> Principal: ...
    def _decisions(
        self,
        texts: Iterable[str | bytes],
        *,
        account: str | bytes | Claim | None = None,
        need: str | Iterable[str] = (),
        ip: str | bytes = b"",
        user_agent: str | bytes = b"",
    ) -> bytes: ...
    def _bind(self, *parts: Any) -> None: ...

def accepted(decisions: bytes) -> list[bool]: ...
def value(
    decisions: bytes, at: int, principal: type[Principal], declared: Declared
) -> Principal | int: ...
