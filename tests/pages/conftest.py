"""Pages opened without a server: the viewer sits at this machine, unless a test says otherwise."""

from __future__ import annotations

import pytest

from pages.ui import gate


@pytest.fixture(autouse=True)
def at_this_machine(monkeypatch):
    """Stand in for the doorkeeper, whom no connection passes here."""
    monkeypatch.setattr(gate, "visitor", lambda: "local")
