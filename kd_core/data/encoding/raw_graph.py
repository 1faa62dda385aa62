"""A table's encoding as a graph of ONNX operations: raw columns in, the numbers that a network takes out.

Columns of one kind are encoded together, as one matrix, so that the graph has as many operations for forty columns as for
four; labels alone need a look-up each. Inputs: (N, 1) per column, named as the column; numbers, codes and times (seconds
since 1970, UTC) as float64, NaN where missing; labels as text, empty where missing. Free text comes as its encoded values.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence
from itertools import count, product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from kd_core.data.encoding.calendar_graph import CalendarGraph
from kd_core.limits import LARGEST_FLOAT32, LARGEST_NUMBER

Array = npt.NDArray[Any]
Place = tuple[str, int | tuple[str, int]]  # a part of the encoded row, and a position in it, or of a number by its kind
ML = "ai.onnx.ml"
OPSETS = {"": 17, ML: 4}
FEW_POSITIONS = 500  # of all columns times their labels: two operations then, more numbers
_STRAIGHT = np.zeros(0), np.zeros(0)
_DOUBLE, _TEXT, _FLOAT = onnx.TensorProto.DOUBLE, onnx.TensorProto.STRING, onnx.TensorProto.FLOAT


class RawGraph:
    """Collects what the columns of a table need, and writes it as one graph. Legend: N rows, F encoded numbers.

    Each method adds one column and the places of its encoded values; `finish` lays them out in that order.
    """

    def __init__(self, columns: Collection[str]) -> None:
        self.inputs: list[onnx.ValueInfoProto] = []
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.places: list[Place] = []
        found: list[tuple[str, list[tuple[str, float, float, float, Array, Array]]]]
        found = [("line", []), ("bent", []), ("plain", [])]
        self._numbers = dict(found)
        self._flags: list[str] = []
        self._hot: list[str] = []
        self._hot_width = 0
        self._tables: list[tuple[str, int]] = []
        self._times: list[tuple[str, float, float, float]] = []
        self._blank = False
        self._given: list[tuple[str, int]] = []
        words = ("".join(letters) for size in count(1) for letters in product(string.ascii_letters, repeat=size))
        self._names = (word for word in words if word not in columns)
        self._held: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    # Columns

    def number(
        self,
        name: str,
        kind: Literal["line", "bent", "plain"],
        centre: float,
        scale: float,
        fill: float,
        flag: bool,
        curve: tuple[Array, Array] = _STRAIGHT,
    ) -> None:
        """Add a number: centred and scaled, then cut at +-10 (line), bent by straight pieces, or left as it is.

        `fill`: the scaled value where it is missing; `curve`: knots and heights (K,) of the pieces.
        """
        at = len(self._numbers[kind])
        self._numbers[kind].append((self._input(name, _DOUBLE), centre, scale, fill, *curve))
        self.places += [(kind, at)] + ([("missing", (kind, at))] if flag else [])

    def flag(self, name: str, values: Mapping[str, float], other: float, numbers: bool, flag: bool) -> None:
        """Add a yes or no: a value per label, `other` for anything else, and whether it was anything else."""
        at = len(self._flags)
        self._flags.append(self._look_up(name, values, other, numbers))
        self.places += [("flag", at)] + ([("flag missing", at)] if flag else [])

    def one_hot(self, name: str, ids: Mapping[str, int], other: int, width: int, numbers: bool) -> None:
        """Add a category: a 1 at its label's position, below `width`; nowhere at all for position -1."""
        first = self._hot_width
        ids = {label: first + at if at >= 0 else -1 for label, at in ids.items()}
        self._add_hot(self._look_up(name, ids, first + other if other >= 0 else -1, numbers), width)

    def table(self, name: str, ids: Mapping[str, int], other: int, rows: Array, numbers: bool, hot: int = 0) -> None:
        """Add a category with values of its own per label, by the label's number. Shape: rows (K, W).

        `hot`: so many of the labels, the last one for all others, have a position with a 1 as well, before those values.
        Labels with the same values share a row: names seen as often, with the same average, are many.
        """
        ids, other, rows = _shared_rows(ids, other, rows.astype(np.float32), max(0, hot - 1))
        codes = self._look_up(name, ids, other, numbers)
        if hot:
            near = self._node("Min", codes, self._weight(np.int64(hot - 1)))
            self._add_hot(self._node("Add", near, self._weight(np.int64(self._hot_width))), hot)
        found = self._node("Gather", self._weight(rows), codes)  # (N, 1, W)
        part = f"table {len(self._tables)}"
        self._tables.append((self._node("Squeeze", found, self._weight(np.array([1]))), rows.shape[1]))
        self.places += [(part, i) for i in range(rows.shape[1])]

    def _add_hot(self, codes: str, width: int) -> None:
        self._hot.append(codes)
        self.places += [("hot", self._hot_width + i) for i in range(width)]
        self._hot_width += width

    def time(self, name: str, mean: float, std: float, year: float, parts: Sequence[str], blank: bool) -> None:
        """Add a time, of which `parts` are kept, in that order: days, year, month, weekday and hour on a circle, missing.

        `blank`: NaN where it is missing, else the values of the mean.
        """
        at, self._blank = len(self._times), blank
        self._times.append((self._input(name, _DOUBLE), mean, std, year))
        self.places += [(f"time {part}", at) for part in parts]

    def given(self, name: str, width: int) -> None:
        """Add values that are encoded elsewhere, as an input (N, width)."""
        part = f"given {len(self._given)}"
        self._given.append((self._input(name, _FLOAT, width), width))
        self.places += [(part, i) for i in range(width)]

    # The graph

    def finish(self, upright: bool = False) -> str:
        """Write the remaining operations; return the name of the encoded rows. Shape: (N, F) float32, or `upright` (F, N).

        Upright, ONNX Runtime lays a thousand rows out in a tenth of the time: it copies whole rows, not single numbers.
        """
        parts: dict[str, tuple[str, int]] = {}
        self._write_numbers(parts)
        if self._flags:
            values = self._joined(self._flags)
            parts["flag"] = values, len(self._flags)
            if any(part == "flag missing" for part, _ in self.places):
                half = self._node("Equal", values, self._weight(np.float32(0.5)))
                parts["flag missing"] = self._node("Cast", half, to=_FLOAT), len(self._flags)
        if self._hot:
            parts["hot"] = self._write_hot(), self._hot_width + 1  # the last one is for no position at all
        parts |= {f"table {i}": held for i, held in enumerate(self._tables)}
        if self._times:
            self._write_times(parts)
        parts |= {f"given {i}": held for i, held in enumerate(self._given)}
        needed = {part for part, _ in self.places}
        first, names = dict[str, int](), list[str]()
        width = 0
        for part, (name, size) in parts.items():
            if part in needed:
                first[part] = width
                names.append(name)
                width += size
        order = np.array([first[part] + self._position(at) for part, at in self.places], np.int32)
        joined = self._joined(names)
        if upright:
            joined = self._node("Transpose", joined, perm=[1, 0])
        if np.array_equal(order, np.arange(width)):
            return joined
        return self._node("Gather", joined, self._weight(order), axis=0 if upright else 1)

    def _position(self, at: int | tuple[str, int]) -> int:
        """Count the numbers of earlier kinds where a position is that of a number."""
        if isinstance(at, int):
            return at
        kinds = list(self._numbers)
        return at[1] + sum(len(self._numbers[kind]) for kind in kinds[: kinds.index(at[0])])

    def _write_numbers(self, parts: dict[str, tuple[str, int]]) -> None:
        kinds = [kind for kind, held in self._numbers.items() if held]
        every = [one for kind in kinds for one in self._numbers[kind]]
        if not every:
            return
        names, centre, scale, fill = zip(*(one[:4] for one in every), strict=True)
        raw = self._joined(names)
        known = self._node("LessOrEqual", self._node("Abs", raw), self._weight(np.float64(LARGEST_NUMBER)))
        centred = self._node("Sub", raw, self._weight(np.array(centre, np.float64)))
        scaled = self._node("Div", centred, self._weight(np.array(scale, np.float64)))
        if self._numbers["plain"]:  # float32 can't hold every number that is read
            scaled = self._cut(scaled, LARGEST_FLOAT32)
        filled = self._node(
            "Where", known, self._node("Cast", scaled, to=_FLOAT), self._weight(np.array(fill, np.float32))
        )
        counts = [len(self._numbers[kind]) for kind in kinds]
        split = self._split(filled, counts)
        if any(part == "missing" for part, _ in self.places):
            parts["missing"] = self._node("Cast", self._node("Not", known), to=_FLOAT), len(every)
        for at, kind in enumerate(kinds):
            value = split[at]
            if kind == "line":
                value = self._node("Clip", value, self._weight(np.float32(-10)), self._weight(np.float32(10)))
            elif kind == "bent":
                value = self._bend(value)
            parts[kind] = value, counts[at]

    def _bend(self, value: str) -> str:
        """Add up straight pieces: each rises from 0 to its full height between its two knots. Shape: (N, Q) -> (N, Q)."""
        held = self._numbers["bent"]
        most = max(2, *(len(one[4]) for one in held))
        knots, heights = np.zeros((len(held), most), np.float32), np.zeros((len(held), most), np.float32)
        for at, (*_, u, z) in enumerate(held):
            lacking = most - len(u)  # pieces that there are not rise by nothing
            knots[at] = [*u, *(u[-1] + np.arange(1, lacking + 1))]
            heights[at] = [*z, *([z[-1]] * lacking)]
        last = self._weight(np.array([2]))
        wide = self._node("Cast", self._node("Unsqueeze", value, last), to=_DOUBLE)  # or many small errors add up
        (low, start), (width, rise) = self._pieces(knots, heights)
        away = self._node("Div", self._node("Sub", wide, low), width)
        share = self._node("Clip", away, self._weight(np.float64(0)), self._weight(np.float64(1)))
        risen = self._node("ReduceSum", self._node("Mul", share, rise), last, keepdims=0)
        first = self._node("Gather", start, self._weight(np.int64(0)), axis=1)
        return self._node("Cast", self._node("Add", risen, first), to=_FLOAT)

    def _pieces(self, *ends: Array) -> tuple[list[str], list[str]]:
        """Tell where pieces begin and how far they go, in float64; computed once, when a session is opened. Shape: (Q, K) each."""
        every = self._node("Cast", self._weight(np.concatenate(ends)), to=_DOUBLE)
        most, axis = ends[0].shape[1], self._weight(np.array([1]))
        low = self._node("Slice", every, self._weight(np.array([0])), self._weight(np.array([most - 1])), axis)
        high = self._node("Slice", every, axis, self._weight(np.array([most])), axis)
        counts = [len(one) for one in ends]
        return self._split(low, counts, 0), self._split(self._node("Sub", high, low), counts, 0)

    def _write_hot(self) -> str:
        """Write a 1 at every label's position; position -1 is the last one, which nobody reads."""
        ids, width = self._joined(self._hot), self._hot_width + 1
        if len(self._hot) * width <= FEW_POSITIONS:
            # OneHot takes five times as long for many rows; the square of ones is made once, when a session is opened
            square = self._node("ConstantOfShape", self._weight(np.array([width, width])))
            each = self._node("Gather", self._node("EyeLike", square, dtype=_FLOAT), ids)  # (N, columns, width)
            return self._node("ReduceSum", each, self._weight(np.array([1])), keepdims=0)
        rows = self._node("Shape", ids, start=0, end=1)
        empty = self._node("ConstantOfShape", self._node("Concat", rows, self._weight(np.array([width])), axis=0))
        one = numpy_helper.from_array(np.array([1], np.float32))
        ones = self._node("ConstantOfShape", self._node("Shape", ids), value=one)
        return self._node("ScatterElements", empty, ids, ones, axis=1)

    def _write_times(self, parts: dict[str, tuple[str, int]]) -> None:
        needed = {part.removeprefix("time ") for part, _ in self.places if part.startswith("time ")}
        raw, width = self._joined([name for name, *_ in self._times]), len(self._times)
        found = CalendarGraph(self._node, self._weight).parts(raw, [t[1:] for t in self._times], needed, self._blank)
        parts |= {f"time {part}": (value, width) for part, value in found.items()}

    def _cut(self, value: str, most: float) -> str:
        bounds = (self._weight(np.float64(bound)) for bound in (-most, most))
        return self._node("Clip", value, *bounds)

    # Small things

    def _input(self, name: str, kind: int, width: int = 1) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["rows", width]))
        return name

    def _look_up(self, name: str, values: Mapping[str, float], other: float, numbers: bool) -> str:
        """Look labels up that are texts, or numbers. Shape: (N, 1) -> (N, 1) int64, or float32 where values are floats."""
        whole = all(isinstance(v, int) for v in (*values.values(), other))
        source = self._input(name, _DOUBLE if numbers else _TEXT)
        kind: Any = np.int64 if whole else np.float64
        if numbers:
            keys = numpy_helper.from_array(
                np.array([float(k) if k else np.nan for k in values], np.float64), "keys_tensor"
            )
            told = numpy_helper.from_array(np.array(list(values.values()), kind), "values_tensor")
            rest = numpy_helper.from_array(np.array([other], kind), "default_tensor")
            found = self._node(
                "LabelEncoder", source, domain=ML, keys_tensor=keys, values_tensor=told, default_tensor=rest
            )
            return found if whole else self._node("Cast", found, to=_FLOAT)  # ONNX Runtime knows no double to float
        word = "int64" if whole else "float"
        settings = {f"values_{word}s": list(values.values()), f"default_{word}": other}
        return self._node("LabelEncoder", source, domain=ML, keys_strings=list(values), **settings)

    def _joined(self, names: Sequence[str]) -> str:
        return names[0] if len(names) == 1 else self._node("Concat", *names, axis=1)

    def _split(self, value: str, counts: Sequence[int], axis: int = 1) -> list[str]:
        if len(counts) == 1:
            return [value]
        outputs = [self.new() for _ in counts]
        sizes = self._weight(np.array(counts, np.int64))
        self.nodes.append(helper.make_node("Split", [value, sizes], outputs, axis=axis))
        return outputs

    def _node(self, operation: str, *inputs: str, **settings: Any) -> str:
        name = self.new()
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **settings))
        return name

    def _weight(self, values: Any) -> str:
        """Keep constants, equal ones once."""
        array = np.asarray(values)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._held:
            self._held[key] = self.new()
            self.weights.append(numpy_helper.from_array(array, self._held[key]))
        return self._held[key]

    def new(self) -> str:
        """Return a name that nothing else has: a, ... Z, aa, ba, ...; longer ones would take more bytes than small weights."""
        return next(self._names)


def _shared_rows(ids: Mapping[str, int], other: int, rows: Array, apart: int) -> tuple[dict[str, int], int, Array]:
    """Keep equal rows once, those of most labels first, as low numbers take fewer bytes; the first `apart` stay where they are.

    Shape: rows (K, W) -> new numbers by label, that of any other label, and (L, W), L at most K.
    """
    bits, of_row, counts = np.unique(
        np.ascontiguousarray(rows[apart:]).view(np.uint32), axis=0, return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    place = np.argsort(order)[of_row.reshape(-1)] + apart
    number = np.concatenate([np.arange(apart), place]).tolist()
    kept = np.concatenate([rows[:apart], bits[order].view(np.float32)])
    return {label: number[at] for label, at in ids.items()}, number[other], kept
