"""The models of a run that can be asked: its students, and the plain models that the result sets beside them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from kd_core.runs.predictor import Predictor, load

ASKED_SECONDS = 0.05  # a model is asked again for so long, and the middle of its times is told


@dataclass(frozen=True)
class Reply:
    """What a model says to a row. `shares`: by class, empty for a number; `seconds`: of one answer, from the raw row."""

    answer: str | float
    shares: dict[str, float]
    seconds: float
    said: tuple[str, ...] = ()


@st.cache_resource(max_entries=12, show_spinner=False)
def opened(path: str, changed_ns: int, name: str) -> Predictor:
    """Open a model once. Errors: KDError as `kd_core.load`."""
    return load(path, name)


def names(found: Mapping[str, Any], index: int) -> list[str]:
    """Name the student and the plain models that the run kept; of a student that was made smaller its stages."""
    if block := found.get("compressed"):
        return [str(one["name"]) for one in block["stages"] if one.get("file")]
    return [found["students"][index]["name"], *(p["name"] for p in (found.get("artifacts") or {}).get("plain") or ())]


def ask(model: Predictor, row: Mapping[str, Any]) -> Reply:
    """Ask one model about one row, and time it. Errors: DataError as `Predictor.answers`."""
    given = dict(row)
    (found,), said = model.ask(given)
    times, until = [], time.perf_counter() + ASKED_SECONDS
    while not times or time.perf_counter() < until:
        before = time.perf_counter()
        model.ask(given)
        times.append(time.perf_counter() - before)
    purpose = model.purpose
    if not purpose.task.has_classes:
        return Reply(float(found[0]), {}, float(np.median(times)), said)
    shares = dict(zip(purpose.classes, map(float, found), strict=True))
    (best,) = purpose.picked(np.asarray(found)[None])
    return Reply(purpose.classes[int(best)], shares, float(np.median(times)), said)
