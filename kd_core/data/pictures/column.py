"""A column of pictures: each cell holds the pixels of one, all of one size, in a file that is mapped into memory.

Legend: N pictures, H rows and W columns of pixels, K bands (1 grey, 3 red, green, blue).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from kd_core.data.types.base import ColumnType, TypedColumn, finish
from kd_core.errors import Problem, Says
from kd_core.specs import ColumnKind

_NO_PICTURES = Says(
    "not_pictures", "error", "Column {column} holds no pictures.", "Leave its type open, or choose another one."
)
_NO_ROLE = Says(
    "picture_role", "error", "Column {column} holds pictures; it can't be {role}.", "Choose another column."
)
_ONLY_PICTURES = Says(
    "only_pictures", "error", "Column {column} holds pictures; it can't be read as {kind}.", "Leave its type open."
)


def column_of(pixels: npt.NDArray[np.uint8], missing: npt.NDArray[np.bool_] | None = None) -> pd.Series:
    """Make a column of pictures that lies where the pixels lie, a mapped file included. Shape: (N, H, W, K) -> (N,).

    `missing` (N,): rows that have none.
    """
    shape = pixels.shape[1:]
    mask = None if missing is None or not missing.any() else pa.array(missing)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(np.asarray(pixels).reshape(-1)), int(np.prod(shape)), mask=mask)
    array = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), shape), flat)
    return pd.Series(pd.arrays.ArrowExtensionArray(array))


def shape_of(values: pd.Series) -> tuple[int, int, int] | None:
    """Return height, width and bands of a column of pictures, None for any other column."""
    kind = getattr(values.dtype, "pyarrow_dtype", None)
    return tuple(kind.shape) if isinstance(kind, pa.FixedShapeTensorType) else None


def pixels_of(values: pd.Series) -> npt.NDArray[np.uint8]:
    """Return the pixels of a column of pictures; a missing one is black. Shape: (N,) -> (N, H, W, K) uint8."""
    array: Any = pa.array(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.null_count:
        known = values.notna().to_numpy()
        filled = np.zeros((len(values), *array.type.shape), np.uint8)
        filled[known] = pixels_of(values[known])
        return filled
    found: npt.NDArray[np.uint8] = array.to_numpy_ndarray()
    return found


def picture_hashes(values: pd.Series) -> npt.NDArray[np.uint64]:
    """Hash the pixels of each picture, the same in every process. Shape: (N,) -> (N,) uint64."""
    rows = pixels_of(values)
    digests = (hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=8).digest() for row in rows)
    return np.frombuffer(b"".join(digests), np.uint64)


def picture_column(values: pd.Series, name: str, kind: ColumnKind | None) -> TypedColumn:
    """Read a column that holds pictures, or is said to."""
    problems: list[Problem] = []
    if shape_of(values) is None:
        return finish(name, ColumnType("text"), values.astype("str"), [_NO_PICTURES.problem(name)])
    if kind not in (None, "picture", "id", "constant"):
        problems.append(_ONLY_PICTURES.problem(name, kind=kind))
    distinct = len(np.unique(picture_hashes(values)))
    return finish(name, ColumnType("picture"), values, problems, distinct)


def picture_columns(types: Mapping[str, ColumnType]) -> tuple[str, ...]:
    """Name the columns of pictures."""
    return tuple(name for name, column in types.items() if column.kind == "picture")


def misplaced(typed: Mapping[str, TypedColumn], roles: Mapping[str, str | None]) -> list[Problem]:
    """Name columns of pictures that shall be a target, a group or a time, which they can't."""
    named = {role: name for role, name in roles.items() if name in typed and typed[str(name)].kind == "picture"}
    return [_NO_ROLE.problem(name, role=role) for role, name in named.items()]


def described(shape: tuple[int, int, int]) -> str:
    """Say how large pictures are. Example: `28 x 28, grey`."""
    height, width, bands = shape
    return f"{width} x {height}, {'grey' if bands == 1 else 'colour'}"


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Write one picture as a PNG file. Shape: (H, W, K) uint8."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def as_files(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the pictures of a frame into PNG files, which every program reads."""
    files = {str(n): [png(p) for p in pixels_of(frame[n])] for n in frame.columns if shape_of(frame[n])}
    return frame.assign(**files) if files else frame
