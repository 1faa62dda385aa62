"""Which answer of a model from outside belongs to which class of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.errors import DataError, Problem, Says

_BY_NAME = Says("model_classes", "note", "The model's classes were found by their names: {classes}.")
_ASKED = Says("model_classes", "note", "The model's classes were taken to be, in its order: {classes}, as asked.")
_BY_NUMBER = Says(
    "model_classes",
    "warning",
    "The model knows its classes by numbers only; 0 to {last} were taken for {classes}, as a label encoder sorts them.",
    "Name the classes in the model's order (classes) where it was another.",
)


def class_order(
    theirs: Sequence[str] | None, count: int, dataset: Dataset, chosen: Sequence[str]
) -> tuple[Array, Problem]:
    """Find each class of the data among the model's `count`; and say how.

    `theirs`: the names that it has, None where it knows numbers only. Shape: -> (C,) places among the model's classes.
    Errors: DataError `model_classes` that names the differences.
    """
    ours = list(dataset.classes)
    named = list(chosen) or (list(theirs) if theirs is not None else _sorted(ours))
    plain = [_plain(name) for name in named]
    wanted = [_plain(name) for name in ours]
    if sorted(plain) != sorted(wanted) or count != len(named):
        raise DataError(
            "The classes of the model and of the data are not the same: {differences}.",
            "Give data with the model's classes, or name all of them in the model's order (classes).",
            "model_classes",
            differences="; ".join(_differences(named, ours, count)),
        )
    says = _ASKED if chosen else _BY_NUMBER if theirs is None else _BY_NAME
    shown = ", ".join(named[:20]) + (f" and {len(named) - 20} more" if len(named) > 20 else "")
    return np.array([plain.index(name) for name in wanted]), says.problem(classes=shown, last=count - 1)


def _differences(named: Sequence[str], ours: Sequence[str], count: int) -> list[str]:
    plain, wanted = {_plain(n) for n in named}, {_plain(n) for n in ours}
    found = []
    for who, names in (
        ("only the model has", [n for n in named if _plain(n) not in wanted]),
        ("only the data has", [n for n in ours if _plain(n) not in plain]),
    ):
        found += (
            [f"{who} {', '.join(names[:10])}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")]
            if names
            else []
        )
    return found or [f"the model has {count}, {len(named)} are named"]


def _sorted(classes: Sequence[str]) -> list[str]:
    """Sort as a label encoder does: numbers by their size, anything else as text."""
    try:
        return sorted(classes, key=float)
    except ValueError:
        return sorted(classes)


def _plain(name: str) -> str:
    """Write 1, 1.0 and True alike, as they are where labels were read from a file in different ways."""
    text = str(name).strip()
    return {"True": "1", "False": "0", "true": "1", "false": "0"}.get(text, text.removesuffix(".0"))
