"""A student's file put to use with numpy and ONNX Runtime alone: raw rows in, answers out."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from kd_core.data.encoding.saved import unpack
from kd_core.data.plain.history import with_catalogue
from kd_core.data.plain.questions import NUMBER, Questions
from kd_core.data.plain.rows import Rows
from kd_core.data.plain.topics import Topics
from kd_core.export.standalone.unseen import unseen
from kd_core.export.standalone.views import opened_view

FACTS = "kd_workbench"
SCHEMAS = (1, 2)  # the graph takes raw columns, or what the view in the metadata reads
_AT_ONCE = 1024  # rows that are answered at once: bounds the memory


class Student:
    """Answers raw rows. Legend: N rows, W numbers of an answer.

    `columns`: what a row must have, in the order of rows that are lists; `target`: what is predicted; `classes`: none for a number;
    `questions`: what each number of an answer says; `spread` (W,): what one unit of it is worth;
    `known`: the values that it was taught of each category.
    """

    def __init__(self, path: Path, known: Mapping[str, Sequence[str]]) -> None:
        session, facts = _opened(path)
        self.target: str = facts["target"]
        self.classes: tuple[str, ...] = tuple(facts["classes"])
        self.questions = Questions.of(facts)
        self.spread = _spread(self.questions, facts["std"])
        self.layout: dict[str, Any] = facts["read"]
        self.rows = Rows(with_catalogue(facts["columns"], self.classes))
        self.columns = tuple(self.rows.rules)
        self._known = known
        self._session, self._output = session, session.get_outputs()[0]
        held = {name: base64.b64decode(text) for name, text in facts["texts"].items()}
        self._topics = {name: Topics(learned) for name, learned in (unpack("texts", held) if held else {}).items()}
        self._view = None
        if facts["schema"] == SCHEMAS[1]:
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(facts["view"]["zip"]))) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
            self._view = opened_view(facts["view"]["kind"], files, self.rows)

    @property
    def pictures(self) -> tuple[str, ...]:
        """Name the columns that hold pictures: each cell is the content of a PNG, JPEG, WebP or BMP file."""
        return tuple(name for name, rule in self.rows.rules.items() if rule["kind"] == "picture")

    def answers(self, rows: Iterable[Any]) -> tuple[Any, tuple[str, ...]]:
        """Answer rows; return what a person should be told as well. Shape: N rows -> (N, W).

        Errors: UnfitRows.
        """
        if self._view is not None:
            cells, said = self.rows.columns(rows)
            x, more = self._view(cells)
            typed, _ = self.rows.typed({name: cells[name] for name in self._known})
            given, said = {"x": x}, (*said, *more, *unseen(self._known, typed))
        else:
            given, said = self.rows.read(rows)
            said = (*said, *unseen(self._known, given))
            for name, topics in self._topics.items():
                given[name] = topics.encode(given[name][:, 0].tolist())
        count = len(next(iter(given.values())))
        parts = [
            self._session.run(
                [self._output.name], {name: values[at : at + _AT_ONCE] for name, values in given.items()}
            )[0]
            for at in range(0, count, _AT_ONCE)
        ]
        return (np.concatenate(parts) if parts else np.zeros((0, self._output.shape[1]), np.float32)), said

    def predict(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Answer rows: per row the likeliest class (or, with a threshold, whether its probability is reached) under the target's name
        and `p_<class>`, or the number. Errors: UnfitRows.

        Of labels each has its 0 or 1 and its `p_<label>`; of several targets each its own, and `p_<target>: <class>`.
        """
        return [self.named(row) for row in self.answers(rows)[0].tolist()]

    def named(self, row: list[float]) -> dict[str, Any]:
        """Name one row's numbers."""
        return self.questions.named(row)


def _spread(questions: Questions, std: Any) -> Any:
    found, stds = np.ones(questions.width), np.broadcast_to(std, len(questions.every))
    for at, one in enumerate(questions.every):
        if one.kind == NUMBER:
            found[one.start] = stds[at]
    return found


def _opened(path: Path) -> tuple[Any, Mapping[str, Any]]:
    session = onnxruntime.InferenceSession(path.read_bytes(), _options(), providers=["CPUExecutionProvider"])
    facts = json.loads(session.get_modelmeta().custom_metadata_map[FACTS])
    if facts["schema"] not in SCHEMAS:
        raise ValueError(f"{path.name} is of version {facts['schema']}; this program reads {SCHEMAS}")
    return session, facts


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a row is too little work to share out
    return options
