"""A browser and a server for the journeys; without Chromium they fail loudly in CI and skip elsewhere."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.e2e.furnished import furnish
from tests.e2e.server import Server

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "no Chromium on the PATH: run tests/install_browser.sh"
        if os.environ.get("CI") or os.environ.get("KD_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def server(tmp_path):
    app = Server(tmp_path / "workspace")
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """One server for all tests that look at finished things and change nothing."""
    yield from furnish(tmp_path_factory.mktemp("house") / "workspace")
