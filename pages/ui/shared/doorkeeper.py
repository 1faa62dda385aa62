"""Who is at the door: decided for every connection from the sockets that are really open, before any page or file.

Pure ASGI, so it holds whatever starts the app: its own command, `streamlit run`, or any ASGI server.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal
from urllib.parse import urlsplit

import psutil
from streamlit import config
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

Visitor = Literal["local", "named", "outside"]

HOSTS = "KD_HOSTS"  # further names under which the app may be asked for, separated by commas
USER_HEADER = "KD_USER_HEADER"  # header in which a proxy on this machine names who has signed in there
STAMP = "x-kd-visitor"
CLOSED = ("/_stcore/metrics",)  # for nobody: names of files and sizes of sessions
PRIVATE = ("/media/", "/_stcore/upload_file/")  # what a page shows and takes: only after the gate
_KEY = secrets.token_hex(16)  # a stamp that a visitor writes is no stamp
_FORWARDED = (b"forwarded", b"via", b"x-real-ip")


def is_loopback(address: str | None) -> bool:
    """Say whether only this machine can reach the address. No address means all interfaces."""
    if address == "localhost":
        return True
    try:
        found = ipaddress.ip_address((address or "0.0.0.0").strip("[]"))  # noqa: S104
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


@functools.cache
def bound_to_this_machine(port: int) -> bool:
    """Say whether every socket of this process that listens on the port is one that only this machine can reach.

    A port that no socket of the process listens on counts as reachable: then something unknown stands in front.
    """
    try:
        opened = psutil.Process().net_connections(kind="tcp")
    except psutil.Error:
        return False
    heard = [c.laddr.ip for c in opened if c.status == psutil.CONN_LISTEN and c.laddr.port == port]
    return bool(heard) and all(map(is_loopback, heard))


def visitor_of(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Visitor:
    """Tell who asks: a person at this machine, one whom a proxy on this machine names, or anybody else."""
    host, port = (*(scope.get("server") or ()), None, None)[:2]
    if port is None or not is_loopback(host) or not bound_to_this_machine(port):
        return "outside"
    name = os.environ.get(USER_HEADER, "").lower().encode("latin-1", "replace")
    if name and headers.get(name, b"").strip():
        return "named"
    if any(key in _FORWARDED or key.startswith(b"x-forwarded-") for key in headers):
        return "outside"
    asked = urlsplit(f"//{headers.get(b'host', b'').decode('latin-1')}").hostname
    peer = (scope.get("client") or (None,))[0]
    return "local" if peer and is_loopback(peer) and asked and is_loopback(asked) else "outside"


def stamped(headers: Iterable[tuple[str, str]]) -> Visitor:
    """Read the doorkeeper's stamp from the headers of a connection; without one it is anybody."""
    found = {k.lower(): v for k, v in headers}.get(STAMP, "")
    key, _, visitor = found.partition(":")
    known: dict[str, Visitor] = {"local": "local", "named": "named"}
    return known.get(visitor, "outside") if secrets.compare_digest(key.encode(), _KEY.encode()) else "outside"


def allow_named_hosts() -> None:
    """Add the hosts of `KD_HOSTS` to those the app answers to."""
    more = [h.strip() for h in os.environ.get(HOSTS, "").split(",") if h.strip()]
    held = list(config.get_option("server.allowedHosts"))
    if set(more) - set(held):
        config.set_option("server.allowedHosts", list(dict.fromkeys([*held, *more])), f"the variable {HOSTS}")


class Doorkeeper:
    """Refuse foreign hosts and origins, close what nobody needs, and let files in and out only after the gate."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        visitor = visitor_of(scope, headers)
        refusal = _refusal(scope["path"], headers, visitor)
        if refusal is None:
            kept = [(k, v) for k, v in scope["headers"] if k.lower() != STAMP.encode()]
            scope = {**scope, "headers": [*kept, (STAMP.encode(), f"{_KEY}:{visitor}".encode())]}
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 403, "headers": plain})
            await send({"type": "http.response.body", "body": refusal.encode()})


def _refusal(path: str, headers: Mapping[bytes, bytes], visitor: Visitor) -> str | None:
    """Say why a request is not answered, or None."""
    host = headers.get(b"host", b"").decode("latin-1")
    if not is_host_allowed(host or None):
        return f"The workbench does not answer to this host name. Add it to {HOSTS} if it is yours."
    origin = headers.get(b"origin")
    # Streamlit takes every port of this machine for its own, and asks a server on the internet which address it has
    # before it refuses the others: neither may be reached, so only the very same place passes.
    if origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host.lower():
        return "The request comes from a page of another place. Open the workbench itself."
    if any(part in path for part in CLOSED):
        return "This address is closed."
    if visitor == "outside" and any(part in path for part in PRIVATE) and not _signed_in(headers, host):
        return "Sign in first."
    return None


def _signed_in(headers: Mapping[bytes, bytes], host: str) -> bool:
    """Say whether the request carries the sign-in cookie that Streamlit wrote for this host."""
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(headers.get(b"cookie", b"").decode("latin-1"))
    secret = get_cookie_secret()
    if not secret:
        return False

    def one(name: str) -> bytes | None:
        held = cookies.get(name)
        return None if held is None else decode_signed_value(secret, name, held.value.encode("latin-1"))

    said = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    try:
        user = json.loads(said or b"{}")
    except ValueError:
        return False
    meant = urlsplit(str(user.get("origin", ""))).netloc
    return bool(user.get("is_logged_in")) and meant.lower() == host.lower()
