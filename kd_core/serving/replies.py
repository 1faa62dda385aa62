"""Answers of the service as JSON, errors among them: a code, what happened and what to do."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from kd_core.serving.request import Refused


class Json(Response):
    """JSON in plain ASCII, so that half of a character in a name can be written, too."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def refusal(error: Refused) -> Json:
    """Say what is wrong with a request."""
    reply = Json({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, error.status)
    if error.status == 503:
        reply.headers["retry-after"] = "1"
    return reply
