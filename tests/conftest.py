"""Shared by all tests: a private workspace and the way to the real data sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Two test processes share the cores: threads of arithmetic that wait for each other would cost more than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def own_workspace(tmp_path, monkeypatch):
    """Give each test a workspace of its own, so that none sees a person's runs."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("KD_WORKSPACE", str(root))
    return root


@pytest.fixture(scope="session")
def real_data():
    """Return a finder of real files under KD_DATA; skip when the folder is absent, fail in CI."""
    named = os.environ.get("KD_DATA")
    root = Path(named or "../shared/data")

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            if named:
                pytest.fail(f"KD_DATA={named} is set, but {path} is missing")
            pytest.skip(f"{path} is absent; set KD_DATA to run this test")
        return path

    return find
