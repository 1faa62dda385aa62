"""Pictures in rows from outside: files as bytes, or pixels, brought to the size that a model was taught with.

Legend: N rows, H rows and W columns of pixels, K bands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from kd_core.data.pictures import decoding
from kd_core.data.pictures.column import described, pixels_of, shape_of
from kd_core.data.plain.counted import plural
from kd_core.data.plain.picture import decoded
from kd_core.data.types.base import row_numbers, shown_rows
from kd_core.data.types.raw_rows import Cells
from kd_core.errors import DataError

Pixels = npt.NDArray[np.uint8]


def read_cells(cells: Cells, shape: tuple[int, int, int], name: str) -> tuple[Pixels, tuple[str, ...]]:
    """Read the cells of a column; return what a person should be told as well. A missing picture is black.

    A cell is the content of a PNG, JPEG, WebP or BMP file, or missing; a column of pictures holds pixels. What has another size is
    stretched, as pictures of a file are.
    Shape: N cells -> (N, H, W, K). Errors: DataError `no_picture`, `picture_unreadable`.
    """
    if isinstance(cells, pd.Series) and (given := shape_of(cells)):
        found = pixels_of(cells)
        missing = cells.isna().to_numpy(bool)
        said = () if given == shape else (f"Pictures of {described(given)} were stretched to {described(shape)}.",)
        if given != shape:
            resized = [decoding.pixels(Image.fromarray(one[:, :, 0] if given[2] == 1 else one), shape) for one in found]
            found = np.stack(resized) if resized else np.zeros((0, *shape), np.uint8)
        return found, (*said, *_black(missing, name))
    listed = cells.tolist() if isinstance(cells, pd.Series) else cells
    found, missing = np.zeros((len(listed), *shape), np.uint8), np.zeros(len(listed), bool)
    for at, cell in enumerate(listed):
        if isinstance(cell, bytes | bytearray | memoryview):
            found[at] = _decoded(bytes(cell), shape, at + 1, name)
        elif cell is None or cell is pd.NA or cell != cell:
            missing[at] = True
        else:
            raise DataError(
                "Row {number:,} holds a {noun} under '{name}', which is no picture.",
                "Give the content of a PNG, JPEG, WebP or BMP file as bytes, such as open(path, 'rb').read().",
                "no_picture",
                number=at + 1,
                noun=type(cell).__name__,
                name=name,
            )
    return found, _black(missing, name)


def _decoded(data: bytes, shape: tuple[int, int, int], number: int, name: str) -> Pixels:
    found = decoded(data, shape)
    if not isinstance(found, str):
        return found
    raise DataError(
        "The picture of row {number:,} under '{name}' can't be read: {why}.",
        "Save it again as PNG, JPEG, WebP or BMP.",
        "picture_unreadable",
        number=number,
        name=name,
        why=found,
    )


def _black(missing: Any, name: str) -> tuple[str, ...]:
    count = int(missing.sum())
    if not count:
        return ()
    hold, were = ("holds", "was") if count == 1 else ("hold", "were")
    where = shown_rows(row_numbers(missing), count)
    return (f"{plural(count, 'cell')} of {name} {hold} no picture and {were} read as black: {where}.",)
