"""The columns view: as the table view, but numbers are left straight and a missing value is left missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.plain_blocks import PlainBooleanBlock, PlainDateBlock, PlainNumberBlock
from kd_core.data.encoding.saved import pack, unpack
from kd_core.data.input_spec import COLUMNS, InputSpec
from kd_core.data.table import Profile
from kd_core.data.view import VIEWS, Array
from kd_core.data.views.table import OWN_VIEWS, Block, TableView, fits, foreseen_features

VERSION = 1  # raise it when encoded values change
MOST_VALUES = 256  # more different values than this are not told apart
_COUNTED_ROWS = 30_000  # of blocks that take long to encode


def foresee(profile: Profile) -> InputSpec | None:
    """Estimate what the features will be; None where there is nothing but pictures."""
    values: list[int] = []
    holes: list[int] = []
    for found, hole in foreseen_features(profile):
        holes += range(len(values), len(values) + len(found)) if hole else ()
        values += [min(n, MOST_VALUES) for n in found]
    if not values and any(c.kind in OWN_VIEWS for c in profile.columns):
        return None
    return columns_inputs(values, holes)


def columns_inputs(values: list[int] | tuple[int, ...], holes: list[int] | tuple[int, ...] = ()) -> InputSpec:
    """Describe rows of features that take so many values each. Example: `columns_inputs([256, 256, 2], [1])`."""
    return InputSpec(COLUMNS, (len(values),), values=tuple(values), holes=tuple(holes))


@VIEWS.register(
    "columns",
    title="Columns",
    fits=fits,
    foresee=foresee,
    version=VERSION,
    reads="all columns as plain numbers",
    example=columns_inputs([256, 40, 256, 2, 2, 5, 2], [1, 3]),
)
class ColumnsView(TableView):
    """Encodes columns for models that bend numbers themselves: trees, networks on piecewise-linear numbers.

    Numbers are moved and scaled, nothing else; missing numbers, dates and yes/no flags stay NaN. Categories and free text are as in
    the table view.

    Shape: a frame of N raw or typed rows -> (N, F) float32, C-contiguous.
    """

    made_of: ClassVar[Mapping[str, Callable[[str], Block]]] = {
        "number": PlainNumberBlock,
        "boolean": PlainBooleanBlock,
        "datetime": PlainDateBlock,
    }
    values: tuple[int, ...] = ()
    holes: tuple[int, ...] = ()

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None = None) -> dict[str, npt.NDArray[np.float32]]:
        """Fit on the training rows and count what values they hold; return their cross-fitted averages, by column."""
        own = super().fit(frame, y, groups)
        values: list[int] = []
        holes: list[int] = []
        for name in self.types:
            some = slice(_COUNTED_ROWS if self.types[name].kind == "text" else None)
            encoded = self.encode_column(name, frame.iloc[some]) if name not in own else own[name][some]
            for feature in encoded.astype(np.float32).T:
                known = np.unique(feature[~np.isnan(feature)])
                holes += [len(values)] if np.isnan(feature).any() else []
                values.append(min(len(known), MOST_VALUES))
        self.values, self.holes = tuple(values), tuple(holes)
        return own

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return columns_inputs(self.values, self.holes)

    def learned(self) -> dict[str, bytes]:
        """Return what the columns have learned, and what values the training rows hold."""
        return {**super().learned(), **pack("features", {"features": {"values": self.values, "holes": self.holes}})}

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Give every column its own again."""
        super().relearn(files)
        told = unpack("features", files)["features"]
        self.values, self.holes = told["values"], told["holes"]
