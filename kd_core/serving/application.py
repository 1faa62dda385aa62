"""The service's four doors: POST /predict, GET /health, GET /openapi.json, and a page at GET /."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kd_core import limits
from kd_core.serving.answering import Answering
from kd_core.serving.guard import Guard
from kd_core.serving.openapi import document
from kd_core.serving.replies import Json, refusal
from kd_core.serving.request import Refused
from kd_core.serving.served import Served
from kd_core.serving.web_page import POLICY, page

_LOG = logging.getLogger("kd_core.serving")
_DRAINED = 4  # times the largest body: so much of one that is too large is read, so that its sender hears why


def application(served: Served, host: str = "127.0.0.1", token: str | None = None) -> Guard:
    """Make the service as an ASGI application. Nothing but `served` is asked, and nothing is kept of a request."""
    answering = Answering(served)
    described = document(served, secured=token is not None)

    async def predict(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(
                415,
                "The request is '{kind}'.",
                "Send JSON as Content-Type: application/json.",
                "not_json",
                kind=kind[:80] or "without a type",
            )
        return Json(await answering.answer(await _body(request)))

    async def health(request: Request) -> Response:
        return Json({"status": "ok"})

    async def openapi(request: Request) -> Response:
        return Json(described)

    async def front(request: Request) -> Response:
        address = f"{request.url.scheme}://{request.headers['host']}"
        return HTMLResponse(
            page(served, address, secured=token is not None), headers={"content-security-policy": POLICY}
        )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        answering.close()

    inside = Starlette(
        routes=[
            Route("/predict", predict, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/openapi.json", openapi, methods=["GET"]),
            Route("/", front, methods=["GET"]),
        ],
        exception_handlers={Refused: _refused, HTTPException: _unknown, ClientDisconnect: _gone, Exception: _failed},
        lifespan=lifespan,
    )
    return Guard(inside, host, token)  # in front of all, also of what answers errors


async def _body(request: Request) -> bytes:
    """Read the body up to its limit. Errors: Refused `too_large` (413), `too_slow` (408); ClientDisconnect."""
    most, found, count = limits.SERVE_BODY_BYTES, bytearray(), 0
    try:
        async with asyncio.timeout(limits.SERVE_BODY_SECONDS):
            async for chunk in request.stream():
                count += len(chunk)
                if count <= most:
                    found += chunk
                elif count > _DRAINED * most:
                    break
    except TimeoutError:
        raise Refused(
            408,
            "The request did not arrive within {seconds:g} s.",
            "Send it again.",
            "too_slow",
            seconds=limits.SERVE_BODY_SECONDS,
        ) from None
    if count > most:
        raise Refused(
            413,
            "The request has more than {most:,} bytes.",
            "Send fewer rows or smaller pictures at once.",
            "too_large",
            most=most,
        )
    return bytes(found)


async def _refused(request: Request, error: Any) -> Response:
    return refusal(error)


async def _unknown(request: Request, error: Any) -> Response:
    words: Mapping[int, tuple[str, str]] = {
        404: ("There is nothing under {path}.", "no_path"),
        405: ("{path} does not take {method}.", "no_method"),
    }
    message, code = words.get(error.status_code, (str(error.detail), "refused"))
    hint = "POST /predict answers rows; GET / says how."
    values = {"path": request.url.path[:120], "method": request.method[:20]} if error.status_code in words else {}
    reply = refusal(Refused(error.status_code, message, hint, code, **values))
    reply.headers.update(error.headers or {})
    return reply


async def _gone(request: Request, error: Any) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _failed(request: Request, error: Exception) -> Response:
    """Keep what happened in the log under a number, and tell the caller the number alone."""
    number = uuid.uuid4().hex[:8]
    _LOG.error("error %s", number, exc_info=error)
    return refusal(
        Refused(
            500,
            "The service failed (error {number}).",
            "The service's own output tells more under this number.",
            "failed",
            number=number,
        )
    )
