"""The models of a run that can be asked: its students, and the plain models that the result sets beside them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from kd_core.data.plain.questions import Questions
from kd_core.runs.predictor import Predictor, load

ASKED_SECONDS = 0.05  # a model is asked again for so long, and the middle of its times is told


@dataclass(frozen=True)
class Reply:
    """What a model says to a row, as `Questions` has it: a class, a number, a list of labels, or of several targets each by its name.

    `shares`: by class or label, empty for a number; `seconds`: of one answer, from the raw row, None where nobody was asked.
    """

    answer: Any
    shares: dict[str, Any]
    seconds: float | None
    said: tuple[str, ...] = ()


@st.cache_resource(max_entries=12, show_spinner=False)
def opened(path: str, changed_ns: int, name: str) -> Predictor:
    """Open a model once. Errors: KDError as `kd_core.load`."""
    return load(path, name)


def names(found: Mapping[str, Any], index: int) -> list[str]:
    """Name the student and the models without a teacher that the run kept beside it; of a student that was made smaller its stages."""
    if block := found.get("compressed"):
        return [str(one["name"]) for one in block["stages"] if one.get("file")]
    own, kept = found["students"][index]["name"], found.get("artifacts") or {}
    alone = [one["name"] for one in kept.get("alone") or () if one["student"] == own]
    return [own, *alone, *(one["name"] for one in kept.get("plain") or ())]


def ask(model: Predictor, row: Mapping[str, Any]) -> Reply:
    """Ask one model about one row, and time it. Errors: DataError as `Predictor.answers`."""
    given = dict(row)
    (found,), said = model.ask(given)
    said = (*said, *model.untaught(given))
    times, until = [], time.perf_counter() + ASKED_SECONDS
    while not times or time.perf_counter() < until:
        before = time.perf_counter()
        model.ask(given)
        times.append(time.perf_counter() - before)
    return of_row(model.purpose.questions, found, float(np.median(times)), said)


def of_row(questions: Questions, found: Any, seconds: float | None, said: tuple[str, ...] = ()) -> Reply:
    """Read a row's numbers as a reply. Shape: found (W,)."""
    row = [float(value) for value in found]
    return Reply(questions.answer(row), questions.shares(row), seconds, said)
