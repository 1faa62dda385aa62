"""Headers that keep the page out of frames and its pictures and scripts at home. Pure ASGI: safe for WebSockets."""

from __future__ import annotations

from typing import Any

from pages.ui.shared.doorkeeper import PRIVATE

# img-src stops Markdown pictures from calling other servers; Plotly and Streamlit's own code need
# inline styles, blob workers and, for WebGL and Arrow, compiled functions.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


NO_STORE = (b"cache-control", b"no-store")  # for what a person uploaded or made: a link outlives its visit otherwise


class SecurityHeaders:
    """Add the headers to every HTTP answer, whoever gives it; nothing of a person's own is kept by the browser."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = (*HEADERS, NO_STORE) if any(part in scope["path"] for part in PRIVATE) else HEADERS
                ours = {name for name, _ in added}
                kept = [(n, v) for n, v in message.get("headers", []) if n.lower() not in ours]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        await self.app(scope, receive, with_headers)
