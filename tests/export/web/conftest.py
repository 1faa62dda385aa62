"""Scripts of the page run in a real browser, without a student; without Chromium they fail loudly in CI and skip elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kd_core.export.web import chromium, runtime

SCRIPTS = Path(runtime.__file__).parent
READING = "cells.js", "texts.js", "pictures.js", "student.js"


@pytest.fixture(scope="session")
def _browser():
    path = chromium.found()
    if path is None:
        message = "no Chromium on the PATH: run tests/install_browser.sh"
        if os.environ.get("CI") or os.environ.get("KD_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def scripts(_browser, tmp_path_factory):
    """Give a function that returns what an expression comes to where the page's scripts are known; `told` is in `told`."""
    place = tmp_path_factory.mktemp("scripts")
    page = place / "page.html"
    text = "".join((SCRIPTS / name).read_text("utf-8") for name in READING)
    page.write_text(
        f"<!doctype html><meta charset=utf-8><script>{text}\nwindow.kd = {{opened: Promise.resolve()}};</script>",
        "utf-8",
    )
    tab = chromium.Tab(_browser, str(place / "profile"))
    tab.open(page)
    yield lambda expression, told=None: tab.value(f"(async (told) => ({expression}))({json.dumps(told)})")
    tab.close()
