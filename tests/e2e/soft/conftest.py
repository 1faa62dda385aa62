"""Tiny runs of every kind, made once for all browser tests of this folder."""

from __future__ import annotations

import pytest

from tests.e2e.server import Server
from tests.e2e.soft import small_runs


@pytest.fixture(scope="session")
def kinds(tmp_path_factory):
    """A server whose workspace holds a tiny run for each kind of data and of answers."""
    folder = tmp_path_factory.mktemp("kinds")
    root = folder / "workspace"
    with small_runs.workspace(root):
        runs = {kind: small_runs.what_if(kind) for kind in small_runs.DATA}
        runs |= {kind: small_runs.answering(kind, folder) for kind in small_runs.ANSWERS}
    app = Server(root)
    app.start()
    yield app, runs
    app.stop()
