"""The test rows a run kept: logits of teacher, student and baseline, and the rows' own columns."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.types.raw_rows import RULES, read_rules
from kd_core.data.view import Shown, View
from kd_core.data.views import VIEWS
from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder

ANSWERS, ROWS = "soft_labels.npz", "rows.parquet"


@dataclass(frozen=True)
class Kept:
    """Legend: N rows, C outputs. `row_ids` are positions in the file; logits by arm are (N, C) float32.

    `view` is the student's, for showing rows; None where the run was made by a version that kept none.
    """

    row_ids: Any
    labels: Any
    logits: dict[str, Any]
    rows: pd.DataFrame
    view: View | None = None

    def shown(self, at: int) -> Shown:
        """Say what to draw of a row."""
        row = self.rows.iloc[at].to_dict()
        return self.view.show(row) if self.view else Shown.of(row, {})


@functools.lru_cache(maxsize=8)
def _arrays(path: Path, changed_ns: int) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


@functools.lru_cache(maxsize=8)
def _frame(path: Path, changed_ns: int) -> pd.DataFrame:
    return pd.read_parquet(path)


def _view(folder: RunFolder, entry: Mapping[str, Any]) -> View | None:
    rules = [name for name in entry.get("view", ()) if name.endswith(f"/{RULES}")]
    if not rules:
        return None
    path = folder.artifact(rules[0].removeprefix("artifacts/"))
    return VIEWS.get(path.parent.name).make(read_rules(path.read_bytes()), "", 0)


def stamps(folder: RunFolder) -> tuple[int, ...]:
    """When the files that hold the rows were changed, so that what is made of them is made anew."""
    return tuple((folder.path / "artifacts" / name).stat().st_mtime_ns for name in (ANSWERS, ROWS))


def load(folder: RunFolder, found: Mapping[str, Any], student: int) -> Kept:
    """Read the kept rows of one student; files are read again only when they have changed.

    Errors: KDError `no_soft_labels` when a file is missing or can't be read.
    """
    entry = found["artifacts"]["students"][student]
    paths = [folder.path / "artifacts" / name for name in (ANSWERS, ROWS)]
    try:
        arrays = _arrays(paths[0], paths[0].stat().st_mtime_ns)
        rows = _frame(paths[1], paths[1].stat().st_mtime_ns)
        index = entry["index"]
        if "teacher" not in arrays:
            raise KDError(
                "The teacher of run {run_id} answered none of the test rows, so there are no soft labels to look at.",
                "Give answers for test rows, too, and run again.",
                "no_teacher_answers",
                run_id=folder.id,
            )
        logits = {
            "teacher": arrays["teacher"],
            "baseline": arrays[f"baseline_{index}"],
            "student": arrays[f"student_{index}"],
        }
        return Kept(arrays["row_ids"], arrays["labels"], logits, rows, _view(folder, entry))
    except (OSError, ValueError, KeyError) as error:
        raise KDError(
            "The soft labels of run {run_id} can't be read: {error}.",
            "Run it again: open the run and press Clone.",
            "no_soft_labels",
            run_id=folder.id,
            error=str(error),
        ) from error
