"""Which of several teachers is heard of each class: named by hand, or chosen on validation rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.errors import DataError, SpecError
from kd_core.limits import KNOWN_ROWS


def named(pairs: Sequence[str], count: int) -> dict[str, int]:
    """Read pairs such as `shoes:2`, teachers counted from 1, as the position of each class's teacher.

    Errors: SpecError `class_teacher` for a pair that is not understood, a number of nobody, or a class that is named twice.
    """
    found: dict[str, int] = {}
    for pair in pairs:
        label, colon, number = pair.rpartition(":")
        label, number = label.strip(), number.strip()
        if not colon or not label or label in found or not number.isdecimal() or not 1 <= int(number) <= count:
            raise SpecError(
                "'{pair}' does not name one of the {count} teachers for a class that has none yet.",
                "Write <class>:<number>, each class once, the first teacher being 1; what is not named is chosen on validation rows.",
                "class_teacher",
                pair=pair,
                count=count,
            )
        found[label] = int(number) - 1
    return found


def known_classes(by_hand: dict[str, int], data: Dataset) -> None:
    """Refuse classes that the data has not. Errors: SpecError `no_such_class`."""
    unknown = sorted(set(by_hand) - set(data.classes))
    if unknown:
        raise SpecError(
            "A teacher is named for {classes}, and the data has no such class.",
            "Classes: {known}.",
            "no_such_class",
            classes=", ".join(map(repr, unknown)),
            known=", ".join(data.classes[:50]) or "none",
        )


def heard(by_hand: dict[str, int], validation: Array, data: Dataset) -> Array:
    """Say by its position who is heard of each class: who was named, or who knows it best on validation rows. Shape: (M, V, K) -> (K,).

    Errors: DataError `few_common_rows` where any class is left to validation rows.
    """
    if len(by_hand) == len(data.classes):
        return np.array([by_hand[label] for label in data.classes])
    best = specialists(validation, data)
    return np.array([by_hand.get(label, int(one)) for label, one in zip(data.classes, best, strict=True)])


def specialists(validation: Array, data: Dataset) -> Array:
    """Find who tells each class best from all others, by its position: the least log loss of its share. Shape: (M, V, K) -> (K,)."""
    rows = common_rows(validation)
    p = np.clip(validation[:, rows], 1e-12, 1 - 1e-12)
    own = data.validation.y[rows][:, None] == np.arange(p.shape[2])
    return np.asarray(np.where(own, np.log(p), np.log1p(-p)).mean(axis=1).argmax(axis=0))


def common_rows(validation: Array) -> Array:
    """Say which validation rows all members know. Errors: DataError `few_common_rows`. Shape: (M, V, K) -> (V,) bool."""
    rows = np.asarray(~np.isnan(validation[:, :, 0]).any(axis=0))
    if not rows.any() or (rows.sum() < KNOWN_ROWS and not rows.all()):
        raise DataError(
            "Only {rows:,} validation rows were answered by all {count} teachers; weights need {least}.",
            "Combine by mean or by confidence, or give more answers.",
            "few_common_rows",
            rows=int(rows.sum()),
            count=len(validation),
            least=KNOWN_ROWS,
        )
    return rows
