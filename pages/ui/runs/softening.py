"""A teacher's own answer for the picture of what T does; taken from an earlier run on the same data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate.soft_labels import entropy, soften
from kd_core.specs import DatasetSpec
from kd_core.task import task_of
from pages.ui.shared import engine


@dataclass(frozen=True)
class Answer:
    """One row's logits of a teacher with the class names, and those of all kept rows with their labels."""

    classes: tuple[str, ...]
    logits: Any
    rows: Any
    labels: Any

    def at(self, temperature: float) -> tuple[list[float], float]:
        """(class probabilities, entropy in nats) at a temperature."""
        p = soften(self.logits[None, :], temperature)
        return [float(v) for v in p[0]], float(entropy(p)[0])

    def over_rows(self, temperature: float) -> tuple[float, float]:
        """(mean entropy in nats, mean probability of the true class) of the kept rows at a temperature."""
        p = soften(self.rows, temperature)
        return float(entropy(p).mean()), float(p[np.arange(len(p)), self.labels].mean())


@st.cache_data(max_entries=16, show_spinner=False)
def _read(run_id: str) -> tuple[tuple[str, ...], Any, Any, Any] | None:
    folder = engine.store().folder(run_id)
    result = folder.result()
    if not result or not task_of(result["task"]).has_classes:
        return None
    with np.load(folder.artifact("soft_labels.npz"), allow_pickle=False) as kept:
        logits, labels = np.asarray(kept["teacher"], np.float32), np.asarray(kept["labels"])
    # more doubtful than 4 of 5 rows, so that there is something to see, but not the most extreme one
    h = entropy(soften(logits, 1.0))
    shown = logits[int(np.argsort(h, kind="stable")[int(0.8 * len(h))])]
    return tuple(result["dataset"]["classes"]), shown, logits, labels


def answer(dataset: DatasetSpec, teacher: str) -> Answer | None:
    """Find an answer of this teacher on this data in the newest finished run that has one."""
    for row in engine.store().list(states=["done"], limit=20):
        if row.teacher != teacher or row.target != dataset.target:
            continue
        try:
            if engine.store().folder(row.id).spec().dataset.model_copy(update={"name": dataset.name}) != dataset:
                continue
            found = _read(row.id)
        except (KDError, OSError, KeyError):
            continue
        if found:
            return Answer(*found)
    return None
