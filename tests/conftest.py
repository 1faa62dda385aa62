"""Shared by all tests: a private workspace and the way to the real data sets."""

from __future__ import annotations

import gc
import itertools
import os
from pathlib import Path

import pytest

# Two test processes share the cores: threads of arithmetic that wait for each other would cost more than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")


_numbers = itertools.count()


def pytest_collection_finish() -> None:
    """Take all that was imported, 400,000 objects, out of every later collection of rubbish."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def models_are_timed_briefly():
    """Time models for a tenth of the usual: most runs of the tests time a teacher or stages whose speed none of them asks for."""
    from kd_core.machine import rounds, timing  # they load numpy, which looks at the number of threads once

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "SECONDS_PER_BATCH", timing.SECONDS_PER_BATCH / 10)
        patch.setattr(rounds, "MOST_CALLS", rounds.MOST_CALLS // 10)
        patch.setattr(rounds, "WARM_UP_CALLS", rounds.WARM_UP_CALLS // 10)
        yield


@pytest.fixture(scope="session")
def _workspaces(tmp_path_factory):
    return tmp_path_factory.mktemp("workspaces")


@pytest.fixture(autouse=True)
def own_workspace(_workspaces, monkeypatch):
    """Give each test a workspace of its own, so that none sees a person's runs; it is made by whoever writes into it.

    It is not in `tmp_path`: making that folder took longer than most tests.
    """
    root = _workspaces / str(next(_numbers))
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
