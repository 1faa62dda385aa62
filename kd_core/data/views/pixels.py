"""The pixel view: pictures as they are, one byte per pixel and band; the network brings them to one scale itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.input_spec import InputSpec
from kd_core.data.pictures.column import picture_columns, pixels_of, shape_of
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import Rows, columns_of, unused
from kd_core.data.view import VIEWS, Array, View

VERSION = 1  # raise it when encoded values change
_SHAPE = 1, 12, 10
_EXAMPLE = InputSpec("pixels", _SHAPE, "uint8", high=256)


def _fits(types: Mapping[str, ColumnType]) -> str | None:
    return None if picture_columns(types) else "needs a column of pictures"


def _foresee(profile: Profile) -> InputSpec | None:
    used = [c.name for c in profile.columns if c.used and c.kind == "picture"]
    return _spec(profile.frame[used[0]]) if used else None


def _spec(values: pd.Series) -> InputSpec:
    height, width, bands = shape_of(values) or (1, 1, 1)
    return InputSpec("pixels", (bands, height, width), "uint8", high=256)


@VIEWS.register(
    "pixels",
    title="Pixels",
    fits=_fits,
    foresee=_foresee,
    version=VERSION,
    reads="the pixels of the first column of pictures",
    example=_EXAMPLE,
)
class PixelsView(View):
    """The pixels of pictures; all have one size since they were read.

    Bytes, not numbers around zero: a quarter of the memory, and a network that scales them takes the pixels of any
    program. Shape: N rows -> (N, K, H, W) uint8, K bands (1 grey, 3 red, green, blue).
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        self.name = picture_columns(types)[0]
        super().__init__({self.name: types[self.name]}, task, seed)
        self.shape: tuple[int, int, int] = _SHAPE

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Take the size of the pictures; nothing is learned from them."""
        height, width, bands = shape_of(frame[self.name]) or (1, 1, 1)
        self.shape = bands, height, width
        return {}

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return InputSpec("pixels", self.shape, "uint8", high=256)

    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> npt.NDArray[np.uint8]:
        """Put bands before rows and columns, as networks read them."""
        return np.array(pixels_of(frame[self.name]).transpose(0, 3, 1, 2), order="C")  # its own: they may lie in a file

    def read(self, rows: Rows) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
        """Read pictures of rows from outside: the content of files, or pixels. Errors: DataError as `read_cells`, `columns_of`."""
        from kd_core.data.pictures.cells import read_cells  # brings Pillow along

        cells, extra = columns_of(rows, [self.name])
        bands, height, width = self.shape
        found, said = read_cells(cells[self.name], (height, width, bands), self.name)
        return np.array(found.transpose(0, 3, 1, 2), order="C"), (*unused(extra), *said)

    def learned(self) -> dict[str, bytes]:
        """Return what another program needs to bring pictures into the same form."""
        bands, height, width = self.shape
        told = {
            "column": self.name,
            "shape": ["rows", bands, height, width],
            "dtype": "uint8",
            "bands": "grey" if bands == 1 else "red, green, blue",
            "resize": "stretched to width x height, bilinear; transparent parts on white",
            "scaling": "none: values from 0 to 255 go in, the network scales them",
        }
        return {"pixels.json": json.dumps(told, indent=1).encode()}

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Take that size again."""
        _, bands, height, width = json.loads(files["pixels.json"])["shape"]
        self.shape = bands, height, width
