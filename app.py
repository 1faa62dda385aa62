"""The web application: pages, life of the job service, and headers that browsers obey."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from pages.serve import require_versions
from pages.ui.shared import doorkeeper, engine
from pages.ui.shared.headers import SecurityHeaders


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Recover what an earlier process left behind, start the job service, stop it with the server."""
    logging.basicConfig(level=logging.INFO)
    require_versions()
    doorkeeper.allow_named_hosts()
    service = engine.jobs()
    engine.warm_up()
    if os.environ.get("KD_ANNOUNCE"):
        print(f"\n  KD Workbench is open at {os.environ['KD_ANNOUNCE']}\n  Stop it with Ctrl+C.\n", flush=True)
    yield {}
    service.close()


app = st.App(
    "pages/main.py", lifespan=lifespan, middleware=[Middleware(SecurityHeaders), Middleware(doorkeeper.Doorkeeper)]
)
