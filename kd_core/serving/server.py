"""The process of a service: a socket, Uvicorn on it, and an end that lets requests under way finish."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import uvicorn

from kd_core import limits
from kd_core.errors import KDError
from kd_core.serving.application import application
from kd_core.serving.guard import checked_token
from kd_core.serving.served import Served

PORT = 8900


def bound(host: str, port: int) -> socket.socket:
    """Take an address. Errors: KDError `no_address` where it is taken, unknown or not allowed."""
    found = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen()  # who reads the announcement may call at once
    except (OSError, OverflowError) as error:
        if found is not None:
            found.close()
        raise KDError(
            "The address {host}, port {port} can't be used: {why}.",
            "Choose another port, such as --port 0 for any free one.",
            "no_address",
            host=host,
            port=port,
            why=str(getattr(error, "strerror", None) or error),
        ) from None
    return found


def serve(served: Served, host: str, port: int, token: str | None, announce: Callable[[str], None]) -> None:
    """Answer until the process is asked to stop (Ctrl-C, SIGTERM). Errors: KDError `token_needed`, `token_weak`, `no_address`."""
    app = application(served, host, checked_token(host, token))
    with bound(host, port) as held:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            http="h11",
            loop="asyncio",
            limit_concurrency=limits.SERVE_CONNECTIONS,
            timeout_graceful_shutdown=int(limits.SERVE_STOP_SECONDS),
        )
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{held.getsockname()[1]}")
        with contextlib.suppress(KeyboardInterrupt):  # raised again by Uvicorn once all is answered
            uvicorn.Server(config).run(sockets=[held])
