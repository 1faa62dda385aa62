"""How many people watch live pages now, so that many viewers ask less often."""

from __future__ import annotations

import threading
import time
import uuid

from pages.ui.shared import session

FORGET_SECONDS = 30.0
_seen: dict[str, float] = {}
_lock = threading.Lock()


def interval(fastest: float = 2.0, per_second: float = 15.0) -> float:
    """Count this viewer in and return the seconds between two looks: 2 s, longer above 30 viewers."""
    me = session.once("viewer", lambda: uuid.uuid4().hex)
    now = time.monotonic()
    with _lock:
        _seen[me] = now
        for other in [k for k, at in _seen.items() if now - at > FORGET_SECONDS]:
            del _seen[other]
        return max(fastest, len(_seen) / per_second)
