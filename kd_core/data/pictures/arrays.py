"""Pictures that come as arrays of numbers, with their labels: checked, and brought into the form of a column.

Legend: N pictures, H rows and W columns of pixels, K bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from kd_core.data.files.caps import check_bytes, check_counts
from kd_core.data.pictures.column import column_of, described
from kd_core.data.pictures.decoding import common_size, pixels
from kd_core.data.table import Table
from kd_core.data.types.base import per_class
from kd_core.data.types.part_column import PART, are_parts
from kd_core.errors import DataError, Problem, Says
from kd_core.specs import ColumnKind

PICTURE, CLASS = "picture", "class"
Array = npt.NDArray[np.generic]
_SHAPES = "Shapes that are read: (pictures, rows, columns), with the bands last or second."

_SCALED = Says(
    "scaled_pictures",
    "note",
    "{of:,} pictures of {before} were stretched to {shape}.",
    "The longest side is at most {side} pixels; change it under how the file is read.",
)


@dataclass(frozen=True)
class Labelled:
    """One set of pictures. Shape: pictures (N, H, W), (N, H, W, K) or (N, K, H, W) uint8; labels (N,) or (N, 1)."""

    pictures: Array
    labels: Array


def table_of(sets: Mapping[str, Labelled], name: str, side: int, path: Path, form: str) -> Table:
    """Put sets of labelled pictures under each other; where their names are those of parts, a column tells them.

    Errors: DataError `array_pictures`, `array_labels`, or a limit's code.
    """
    shaped = {part: _bands_last(one.pictures, part, name) for part, one in sets.items()}
    shapes = {x.shape[1:] for x in shaped.values()}
    if len(shapes) > 1:
        raise _unfit(name, "; ".join(f"{part}: {x.shape}" for part, x in shaped.items()))
    labels = {part: _labels(one, part, name) for part, one in sets.items()}
    count = sum(map(len, labels.values()))
    check_counts(name, count, 2)
    height, width, bands = shapes.pop()
    shape = (*common_size([(width, height)], side), bands)
    check_bytes(name, count * int(np.prod(shape)))
    problems: tuple[Problem, ...] = ()
    x = np.concatenate(list(shaped.values()))
    if shape[:2] != (height, width):
        before = described((height, width, bands))
        problems = (_SCALED.problem(PICTURE, count, of=count, before=before, shape=described(shape), side=side),)
        x = np.stack([pixels(Image.fromarray(one[:, :, 0] if bands == 1 else one), shape) for one in x])
    columns = {PICTURE: column_of(x), CLASS: pd.Series(np.concatenate(list(labels.values())), dtype="str")}
    kinds: dict[str, ColumnKind] = {CLASS: "category"}
    given = are_parts(list(sets))
    if given:
        columns[PART] = pd.Series(np.repeat(list(sets), [len(v) for v in labels.values()]), dtype="str")
        kinds[PART] = "id"  # never a feature, not even where the split is made here
    understood = {"pictures": per_class(columns[CLASS], "picture"), "size": described(shape)}
    frame, size = pd.DataFrame(columns, copy=False), path.stat().st_size
    return Table(frame, form, understood, problems, (), size, kinds=kinds, part=PART if given else None)


def _bands_last(x: Array, part: str, name: str) -> npt.NDArray[np.uint8]:
    if x.dtype != np.uint8:
        raise _unfit(name, f"{part}: {x.dtype}", "Save them as bytes from 0 to 255 (uint8).")
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] not in (1, 3):
        x = np.moveaxis(x, 1, 3)
    if x.ndim != 4 or x.shape[3] not in (1, 3) or 0 in x.shape:
        raise _unfit(name, f"{part}: {x.shape}")
    return np.ascontiguousarray(x).view(np.uint8)


def _labels(one: Labelled, part: str, name: str) -> npt.NDArray[np.str_]:
    y = one.labels.reshape(-1) if one.labels.ndim == 2 and one.labels.shape[1] == 1 else one.labels
    if y.ndim != 1 or len(y) != len(one.pictures) or y.dtype.kind not in "iubU":
        raise DataError(
            "{name} holds {pictures:,} pictures and labels of {kind}, shape {shape} ({part}).",
            "Give one whole number or word per picture.",
            "array_labels",
            name=name,
            pictures=len(one.pictures),
            kind=str(y.dtype),
            shape=str(one.labels.shape),
            part=part,
        )
    return y.astype(np.str_)


def _unfit(name: str, found: str, advice: str = _SHAPES) -> DataError:
    return DataError(
        "{name} holds no pictures of one size and of 1 or 3 bands: {found}.",
        "{advice}",
        "array_pictures",
        name=name,
        found=found,
        advice=advice,
    )
