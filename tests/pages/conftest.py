"""Pages opened without a server: the viewer sits at this machine, and what is installed is looked at once."""

from __future__ import annotations

import functools

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import app_test, local_script_runner

from pages.ui.shared import engine, gate
from tests.pages.screen import Jobs


class Buttons(Jobs):
    """Also takes notes of stop and resume."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def stop(self, run_id):
        self.asked.append(("stop", run_id))

    def resume(self, run_id):
        if self.refuse:
            raise self.refuse
        self.asked.append(("resume", run_id))


@pytest.fixture(autouse=True)
def at_this_machine(monkeypatch):
    """Stand in for the doorkeeper, whom no connection passes here."""
    monkeypatch.setattr(gate, "visitor", lambda: "local")


@pytest.fixture(scope="session", autouse=True)
def component_manifests_are_read_once():
    """Look for components in the installed packages once: each test page would do it anew, for two thirds of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def scripts_are_compiled_once():
    """Keep compiled pages from test to test as a server does from viewer to viewer."""
    kept = ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: kept)
        yield


@pytest.fixture
def buttons(monkeypatch):
    service = Buttons()
    monkeypatch.setattr(engine, "jobs", lambda: service)
    return service
