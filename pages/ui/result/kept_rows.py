"""The test rows a run kept: logits of teacher, student and baseline, and the rows' own columns."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder


@dataclass(frozen=True)
class Kept:
    """Legend: N rows, C outputs. `row_ids` are positions in the file; logits by arm are (N, C) float32."""

    row_ids: Any
    labels: Any
    logits: dict[str, Any]
    rows: pd.DataFrame


@functools.lru_cache(maxsize=8)
def _arrays(path: Path, changed_ns: int) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


@functools.lru_cache(maxsize=8)
def _frame(path: Path, changed_ns: int) -> pd.DataFrame:
    return pd.read_parquet(path)


def load(folder: RunFolder, found: Mapping[str, Any], student: int) -> Kept:
    """Read the kept rows of one student; files are read again only when they have changed.

    Errors: KDError `no_soft_labels` when a file is missing or can't be read.
    """
    entry = found["artifacts"]["students"][student]
    paths = [folder.path / "artifacts" / name for name in ("soft_labels.npz", "rows.parquet")]
    try:
        arrays = _arrays(paths[0], paths[0].stat().st_mtime_ns)
        rows = _frame(paths[1], paths[1].stat().st_mtime_ns)
        index = entry["index"]
        logits = {
            "teacher": arrays["teacher"],
            "baseline": arrays[f"baseline_{index}"],
            "student": arrays[f"student_{index}"],
        }
        return Kept(arrays["row_ids"], arrays["labels"], logits, rows)
    except (OSError, ValueError, KeyError) as error:
        raise KDError(
            "The soft labels of run {run_id} can't be read: {error}.",
            "Run it again: open the run and press Clone.",
            "no_soft_labels",
            run_id=folder.id,
            error=str(error),
        ) from error
