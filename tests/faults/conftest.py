"""Job services and a small disk for the fault tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.runs.conftest import services as services

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Real processes that are killed and waited for: none of it is quick."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(900))  # three kills of real trainings, on a machine with other work


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 4 MB; skip where this is not allowed."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True)
    if done.returncode:
        pytest.skip(f"no right to mount: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
