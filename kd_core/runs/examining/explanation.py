"""One row explained: how each model's answer to it changes when a word, a square of the picture or a column is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.evaluate.examination import occlusion
from kd_core.machine import device as devices
from kd_core.runs.examining.subjects import Kept, Subjects
from kd_core.runs.predictor import Predictor

OTHERS = 30  # rows whose values stand in for a column's own


@dataclass(frozen=True)
class Explanation:
    """What counts in a row. `kind`: "text", "picture" or "columns"; `column`: whose text or picture it is, None for columns.

    `parts`: words with their places in the text, (row, column) of squares, or names of columns. `output`: the class that is explained,
    the student's own, None for a number. `answers`: by arm, that class's probability or the number; `effects`: by arm and
    part, by how much the part raised it.
    """

    kind: str
    column: str | None
    parts: list[Any]
    output: int | None
    answers: dict[str, float]
    effects: dict[str, list[float]]


def columns_to_explain(model: Predictor) -> list[str | None]:
    """Name what can be taken apart in a row: each text and picture, and the columns together where there are several."""
    types = model.deployed.reader.types if model.deployed else model.engine.view.types
    inside: list[str | None] = [name for name, one in types.items() if one.kind in ("text", "picture")]
    return [*inside, None] if len(types) > 1 else inside


def explain(model: Predictor, who: Subjects, kept: Kept, row: int, column: str | None) -> Explanation:
    """Explain one of the rows that a run kept. `column`: a text or picture to take apart, None for the columns themselves."""
    with devices.threads(1):
        return _explain(model, who, kept, row, column)


def _explain(model: Predictor, who: Subjects, kept: Kept, row: int, column: str | None) -> Explanation:
    frame = kept.frame.iloc[[row]].reset_index(drop=True)
    kind, parts, changed = _without(model, kept, frame, row, column)
    whole = {arm: ask(frame)[0] for arm, ask in who.asked.items()}
    has_classes = model.purpose.task.has_classes
    output = int(np.argmax(whole["student"])) if has_classes else 0
    effects: dict[str, list[float]] = {}
    for arm, ask in who.asked.items():
        found: Array = ask(changed) if len(changed) else np.zeros((0, len(whole[arm])))
        told = occlusion.effect(whole[arm], found, output)
        effects[arm] = told.reshape(len(parts), -1).mean(axis=1).tolist() if len(parts) else []
    answers = {arm: float(found[output]) for arm, found in whole.items()}
    return Explanation(kind, column, parts, output if has_classes else None, answers, effects)


def _without(
    model: Predictor, kept: Kept, frame: pd.DataFrame, row: int, column: str | None
) -> tuple[str, list[Any], pd.DataFrame]:
    """Return kind, parts, and rows without each of them; as many rows for every part."""
    if column is None:
        names = [name for name in model.columns if name in kept.frame]
        others = np.linspace(0, len(kept.frame) - 1, min(OTHERS, len(kept.frame))).astype(int)
        several = frame.iloc[np.zeros(len(others), int)].reset_index(drop=True)
        made = [_set(several, name, kept.frame[name].iloc[others].reset_index(drop=True)) for name in names]
        return "columns", names, pd.concat(made, ignore_index=True)
    value = frame[column].iloc[0]
    if isinstance(value, bytes):
        made_files = occlusion.pictures_without(value)
        grid = [(i, j) for i in range(occlusion.GRID) for j in range(occlusion.GRID)]
        return "picture", grid, _with(frame, column, made_files)
    text = value if isinstance(value, str) else ""
    places = occlusion.parts_of(text)
    parts = [(text[start:end], start, end) for start, end in places]
    return "text", parts, _with(frame, column, occlusion.texts_without(text, places))


def _with(frame: pd.DataFrame, column: str, cells: list[Any]) -> pd.DataFrame:
    several = frame.iloc[np.zeros(len(cells), int)].reset_index(drop=True)
    return _set(several, column, pd.Series(cells, dtype=frame[column].dtype))


def _set(frame: pd.DataFrame, column: str, cells: pd.Series) -> pd.DataFrame:
    """Return the rows with other cells in a column; `assign` refuses some names."""
    changed = frame.copy()
    changed[column] = cells
    return changed
