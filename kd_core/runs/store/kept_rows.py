"""The test rows that a run kept: every column of them, and what teacher and students answered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import Damaged

ROWS, ANSWERS = "rows.parquet", "soft_labels.npz"


def frame_of(folder: RunFolder) -> pd.DataFrame:
    """Read the rows with every column. Errors: KDError `run_damaged`."""
    try:
        return pd.read_parquet(folder.artifact(ROWS))
    except (OSError, ValueError, KeyError) as error:  # Arrow's own are of these
        raise folder.damaged(f"artifacts/{ROWS}", Damaged(f"can't be read ({str(error)[:150]})")) from None


def answers_of(folder: RunFolder) -> dict[str, Array]:
    """Read labels and logits by name; no `teacher` where it answered none of them. Shape: (N,), (N, C). Errors: KDError `run_damaged`."""
    try:
        with np.load(folder.artifact(ANSWERS), allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, KeyError) as error:
        raise folder.damaged(f"artifacts/{ANSWERS}", Damaged(f"can't be read ({str(error)[:150]})")) from None
