"""How many people watch live pages now, and what drawing for them costs: many viewers ask less often."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator

import streamlit as st

from kd_core.machine import processor
from pages.ui.shared import session

FORGET_SECONDS = 30.0
SHARE = 0.02  # of the machine's cores, for the drawings of all live pages together: the rest is the training's
FASTEST, SLOWEST = 2.0, 10.0  # seconds between two looks
MOST_SECONDS = 0.1  # that one drawing counts with: the first loads programs
OTHER = 1.5  # times the pace that a page was opened with: it is opened again with the new one

_seen: dict[str, float] = {}
_cost = 0.02  # processor seconds of a drawing, a moving mean
_lock = threading.Lock()


def interval() -> float:
    """Count this viewer in and return the seconds between two looks: as many as hold all viewers within their share."""
    me = session.once("viewer", lambda: uuid.uuid4().hex)
    now = time.monotonic()
    with _lock:
        _seen[me] = now
        for other in [k for k, at in _seen.items() if now - at > FORGET_SECONDS]:
            del _seen[other]
        return min(SLOWEST, max(FASTEST, len(_seen) * _cost / (SHARE * processor.cores())))


@contextlib.contextmanager
def look(every: float) -> Iterator[None]:
    """Time what is drawn inside; where the pace is far from `every` by now, the whole page is drawn again with the new one. Units: seconds."""
    global _cost
    began = time.thread_time()
    try:
        yield
    finally:
        spent = min(MOST_SECONDS, time.thread_time() - began)
        with _lock:
            _cost += 0.1 * (spent - _cost)
    if not every / OTHER <= interval() <= every * OTHER:
        st.rerun()  # the pace of a fragment is told to the browser once, by the page around it
