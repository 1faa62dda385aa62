"""Who may ask: hosts that are this service's own, pages of this service, and where a token is set, those who know it.

Pure ASGI, in front of everything. A page that a browser was led to by rebinding a name (DNS) sends that name as its Host; one of
another origin tells it by Origin; both are refused, and no header lets other origins read an answer.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from kd_core import limits
from kd_core.errors import KDError
from kd_core.serving.replies import refusal
from kd_core.serving.request import Refused

LOCAL = ("localhost", "127.0.0.1", "[::1]")
OPEN = ("/health",)  # tells nothing but that the service is up
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def is_local(host: str) -> bool:
    """Say whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_token(host: str, token: str | None) -> str | None:
    """Return the token, which other machines must know. Errors: KDError `token_needed`, `token_weak`."""
    if token is None and not is_local(host):
        raise KDError(
            "The address {host} can be reached by other machines, and no token was given.",
            "Give one by --token or KD_SERVE_TOKEN, or leave the address at 127.0.0.1.",
            "token_needed",
            host=host,
        )
    if token is not None and (
        len(token) < limits.TOKEN_CHARACTERS or not token.isascii() or not token.isprintable() or " " in token
    ):
        raise KDError(
            "The token has {length} characters; needed are at least {least}, of plain letters, digits and signs without a space.",
            'Make one: python -c "import secrets; print(secrets.token_urlsafe(24))"',
            "token_weak",
            length=len(token),
            least=limits.TOKEN_CHARACTERS,
        )
    return token


class Guard:
    """Refuse requests of other hosts, other origins and without the token; add headers that browsers obey."""

    def __init__(self, app: Any, host: str, token: str | None) -> None:
        self.app, self.token = app, token
        # With a token other names may lead here: who was led here by a false one does not know it
        self.hosts = {*LOCAL, _bracketed(host)} if token is None else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                held = {name.lower() for name, _ in message.get("headers", [])}
                more = [pair for pair in HEADERS if pair[0] not in held]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        try:
            self.check(scope["path"], scope["headers"])
        except Refused as error:
            reply = refusal(error)
            if error.status == 401:
                reply.headers["www-authenticate"] = 'Basic realm="token", charset="UTF-8", Bearer'
            await reply(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

    def check(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Let a request pass. Errors: Refused `wrong_host` (400), `wrong_origin` (403), `wrong_token` (401)."""
        given = list(headers)
        hosts = [value.decode("latin-1") for name, value in given if name == b"host"]
        host = _without_port(hosts[0]) if len(hosts) == 1 else ""
        if not host or (self.hosts is not None and host not in self.hosts):
            raise Refused(
                400,
                "This service does not answer under the name '{host}'.",
                "Call it by http://127.0.0.1 and its port.",
                "wrong_host",
                host=host[:80],
            )
        for origin in (value.decode("latin-1") for name, value in given if name == b"origin"):
            if urlsplit(origin).netloc.lower() != hosts[0].lower():
                raise Refused(
                    403,
                    "A page of {origin} may not call this service.",
                    "Call it from a program, or from the service's own page.",
                    "wrong_origin",
                    origin=origin[:80],
                )
        if self.token is not None and path not in OPEN and not self._knows(given):
            raise Refused(
                401,
                "The token is missing or wrong.",
                "Send it as 'Authorization: Bearer <token>', or as the password where a browser asks for one.",
                "wrong_token",
            )

    def _knows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        wanted = (self.token or "").encode()
        given = [_secret(value) for name, value in headers if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], wanted)


def _secret(value: bytes) -> bytes:
    """Read a bearer token, or the password of a browser's own question."""
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _without_port(host: str) -> str:
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].removesuffix(".")
