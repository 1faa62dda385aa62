"""A run without a server: the command line's way to `experiment.run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kd_core.errors import KDError, SpecError, Stopped
from kd_core.runs import experiment
from kd_core.runs.folder import RunFolder
from kd_core.runs.store import RunStore
from kd_core.specs import RunSpec
from kd_core.workspace import workspace
