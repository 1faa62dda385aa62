"""Where runs, data and the teacher cache live on disk."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def workspace() -> Path:
    """Return the workspace folder: `KD_WORKSPACE`, or the platform's user data folder; created when missing."""
    named = os.environ.get("KD_WORKSPACE")
    root = Path(named) if named else Path(platformdirs.user_data_dir("kd-workbench", appauthor=False))
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root.resolve()


def samples() -> Path:
    """Return the folder of the shipped sample tables."""
    return Path(__file__).resolve().parent.parent / "sample_data"
