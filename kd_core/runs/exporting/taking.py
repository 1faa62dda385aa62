"""A finished run's student as what targets are made of, with the rows that they are asked about and the app's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kd_core.data.onnx_file import open_session
from kd_core.data.types.raw_rows import Array
from kd_core.errors import KDError
from kd_core.export import parity
from kd_core.export.raw_model import facts_of
from kd_core.export.target import SAMPLE_ROWS, Taken
from kd_core.runs import predictor
from kd_core.runs.exporting.as_written import as_written, odd_rows
from kd_core.runs.exporting.card import card_of
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import Damaged

ODD_ROWS = 150  # at most, of the rows that are asked about; the others are test rows
ROWS = "rows.parquet"


@dataclass(frozen=True)
class Taking:
    """What leaves and what proves it. `answers`: the app's to `rows`; `spread` (W,): of the target's numbers, 1 for probabilities."""

    taken: Taken
    rows: Sequence[dict[str, Any]]
    answers: Sequence[Sequence[float]]
    spread: Array
    folder: RunFolder


def take(run: Path | str, student: str | None = None, licence: str = "") -> Taking:
    """Take a student of a finished run, the best one unless one is named.

    Errors: KDError as `predictor.load`, `not_deployed` where no file of it takes raw rows, `run_damaged`.
    """
    opened = predictor.load(run, student)
    if isinstance(opened, predictor.FromFile):
        raise KDError(
            "{name} is a student's file, not a run.",
            "Give the run that the file came from: its rows prove that what is handed out answers alike.",
            "export_of_file",
            name=Path(run).name,
        )
    told = opened.student
    if opened.deployed is None:
        raise KDError(
            "No file of student '{name}' answers raw rows: {why}.",
            "Take another student, or change what the reason names.",
            "not_deployed",
            name=told["name"],
            why=str(told.get("onnx_reason") or "its rows were encoded before they came here").rstrip("."),
        )
    model, types = opened.kept(told["onnx"]), opened.deployed.reader.types
    kept = as_written(_test_rows(opened.folder, list(types)), types)
    odd = odd_rows(kept, types, ODD_ROWS)
    rows = [*kept[: parity.MOST_ROWS - len(odd)], *odd]
    every = max(1, len(kept) // SAMPLE_ROWS)
    sample = kept[::every][:SAMPLE_ROWS]
    purpose = opened.purpose
    taken = Taken(
        model,
        facts_of(open_session(model).get_modelmeta().custom_metadata_map),
        told["name"],
        told["arch"],
        told["kind"],
        sample,
        opened.ask(sample)[0].tolist(),
        card_of(opened.folder, told, purpose, licence),
        opened.kept(told["weights"]),
    )
    return Taking(taken, rows, opened.ask(rows)[0].tolist(), purpose.spread_W, opened.folder)


def _test_rows(folder: RunFolder, names: list[str]) -> pd.DataFrame:
    try:
        return pd.read_parquet(folder.artifact(ROWS), columns=names)
    except (OSError, ValueError, KeyError) as error:  # Arrow's own are of these
        raise folder.damaged(f"artifacts/{ROWS}", Damaged(f"can't be read ({str(error)[:150]})")) from None
