"""A deployed file put to use: raw rows in, answers out, by ONNX Runtime and what stands in the file alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from onnxruntime import InferenceSession

from kd_core.data.encoding.saved import unpack
from kd_core.data.onnx_file import open_session
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import Array, Rows, read_rules
from kd_core.data.types.row_reader import RowReader
from kd_core.data.view import View
from kd_core.export.carried_view import carried_view
from kd_core.export.purpose import purpose_from
from kd_core.export.raw_model import CARRYING, facts_of, front, text_blocks

if TYPE_CHECKING:
    from kd_core.data.encoding.text_block import TextBlock


_AT_ONCE = (
    1024  # rows that a view has read: what a network makes of many texts or pictures at once does not fit the memory
)


class RawSession:
    """A session of ONNX Runtime behind a reader of rows. Legend: N rows."""

    view: View | None = None  # what reads rows where the graph can't

    def __init__(self, session: InferenceSession, types: dict[str, ColumnType], texts: dict[str, TextBlock]) -> None:
        self.session, self.reader, self.texts = session, RowReader(types), texts
        (output,) = self.session.get_outputs()
        self._outputs, self._width = [output.name], output.shape[1]
        # The library's own object, without the checks in Python around it: they look at every input, as long as half of a row's answer
        self._answer = getattr(session, "_sess", session).run

    def run(self, rows: Rows) -> tuple[Array, tuple[str, ...]]:
        """Answer rows; return what a person should be told as well. Shape: N rows -> (N, ...). Errors: as `RowReader.read`."""
        if self.view is not None:
            return self._viewed(self.view, rows)
        if type(rows) is dict and not self.texts and (one := self.reader.one(rows)) is not None:
            quick: Array = self._answer(self._outputs, one[0], None)[0]
            return quick, one[1]
        given, said = self.reader.read(rows)
        if given and not len(next(iter(given.values()))):  # a batch may be empty
            return np.zeros((0, self._width), np.float32), said
        for name, block in self.texts.items():
            given[name] = block.transform(pd.Series(given[name][:, 0])).astype(np.float32)
        found: Array = self._answer(self._outputs, given, None)[0]
        return found, said

    def _viewed(self, view: View, rows: Rows) -> tuple[Array, tuple[str, ...]]:
        x, said = view.read(rows)
        parts: list[Array] = [
            self._answer(self._outputs, {"x": x[at : at + _AT_ONCE]}, None)[0] for at in range(0, len(x), _AT_ONCE)
        ]
        return (np.concatenate(parts) if parts else np.zeros((0, self._width), np.float32)), said


class RawStudent(RawSession):
    """A student's file. Errors: KeyError, ValueError, or ONNX Runtime's own where the file is of another kind or damaged."""

    def __init__(self, data: bytes, threads: int = 1, providers: Sequence[str] = ("CPUExecutionProvider",)) -> None:
        session = open_session(data, threads, providers)
        told = facts_of(session.get_modelmeta().custom_metadata_map)
        held = {name: base64.b64decode(text) for name, text in told["texts"].items()}
        super().__init__(session, read_rules(json.dumps(told["columns"]).encode()), _texts(held) if held else {})
        self.purpose = purpose_from(told)
        if told["schema"] == CARRYING:
            self.view = carried_view(told["view"], told["columns"])


class ViewReader:
    """A view alone, asked as a session is: rows in, what a model takes out."""

    def __init__(self, view: View) -> None:
        self.reader, self.run = RowReader(view.types), view.read


def _texts(files: Mapping[str, bytes]) -> dict[str, TextBlock]:
    """Make the encodings of free text again."""
    from kd_core.data.encoding.text_block import TextBlock  # brings scikit-learn along: two seconds

    found: dict[str, TextBlock] = {}
    for name, learned in unpack("texts", files).items():
        found[name] = TextBlock(name, 0, 0)
        vars(found[name]).update(learned)
    return found


def open_front(view: View) -> RawSession | ViewReader:
    """Open a view as a session that encodes raw rows; the view itself where operations can't do it."""
    data = front(view)
    if data is None:
        return ViewReader(view)
    return RawSession(open_session(data), view.types, text_blocks(view))
