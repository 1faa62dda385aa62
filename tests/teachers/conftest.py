"""Files that Keras itself wrote, made once in a program of its own: its settings and warnings are not for this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

_ENOUGH = 300  # seconds, on a busy machine


def _made(tmp_path_factory, name: str) -> Path:
    """Return the folder that a program beside the tests filled; processes that test side by side share it."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done = place / "done"
    try:
        place.mkdir()
    except FileExistsError:
        end = time.monotonic() + _ENOUGH
        while not done.exists() and time.monotonic() < end:
            time.sleep(0.2)
        return place
    script = Path(__file__).parent / "keras" / f"{name}.py"
    run = subprocess.run(
        [sys.executable, str(script), str(place)], capture_output=True, text=True, check=False, timeout=_ENOUGH
    )
    assert run.returncode == 0, run.stderr
    done.touch()
    return place


@pytest.fixture(scope="session")
def made_by_keras(tmp_path_factory) -> Path:
    """Models of every known layer in every layout, with the answers of Keras."""
    return _made(tmp_path_factory, "make_files")


@pytest.fixture(scope="session")
def made_by_keras_words(tmp_path_factory) -> Path:
    """A classifier of texts that Keras trained, with its vocabulary and the texts."""
    return _made(tmp_path_factory, "make_texts")
