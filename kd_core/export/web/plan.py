"""What a page must know to read rows as the engine does: rules of columns, what texts are cut by, what may be chosen in its form."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from kd_core.data.encoding.saved import unpack
from kd_core.data.input_spec import BYTES, MOST, STEPS, TERM
from kd_core.data.plain.cell import FALSE_WORDS, TRUE_WORDS
from kd_core.data.plain.questions import Questions
from kd_core.data.types.cells import MISSING_WORDS
from kd_core.data.types.raw_rows import read_rules
from kd_core.data.view import View
from kd_core.export.carried_view import carried_view
from kd_core.export.known_labels import looked_up
from kd_core.export.raw_model import CARRYING, front
from kd_core.export.target import Taken
from kd_core.limits import LARGEST_NUMBER

READ = (
    "ngrams",
    "pixels",
    "together",
    "tokens",
)  # views that the page's scripts read rows as, beside those that are drawn
_SHARED = ("name", "made_by", "run", "created_utc", "licence", "metric", "metrics", "verdict", "limits")  # of the card
_MOST_TIMES = 1000  # that a piece counts in a text
_MOST_LISTED = 2000  # known values of a column in the form
assert BYTES == 3  # threeInOne of student.js


def kind_of(taken: Taken) -> str:
    """Name how rows are read: as `columns` by the graph itself, or by a view that the page reads as."""
    return str(taken.facts["view"]["kind"]) if taken.facts["schema"] == CARRYING else "columns"


def plan(taken: Taken) -> tuple[dict[str, Any], bytes | None]:
    """Return plain values for JSON, and the graph that encodes a table where the student reads one beside texts or pictures."""
    facts, kind = taken.facts, kind_of(taken)
    types = read_rules(json.dumps(facts["columns"]).encode())
    view, drawn = ({}, None) if kind == "columns" else _view(taken, kind)
    held = {name: base64.b64decode(text) for name, text in facts["texts"].items()}
    known = looked_up(taken.model if drawn is None else drawn)
    known = {name: labels[:_MOST_LISTED] for name, labels in known.items()}
    told = {
        "kind": kind,
        "task": facts["task"],
        "target": facts["target"],
        "questions": [one.told() for one in Questions.of(facts).every],
        "columns": {name: asdict(column) for name, column in types.items()},
        "reading": {
            "missing": list(MISSING_WORDS),
            "yes": sorted(TRUE_WORDS),
            "no": sorted(FALSE_WORDS),
            "largest": LARGEST_NUMBER,
        },
        "texts": {name: _topics(one) for name, one in (unpack("texts", held) if held else {}).items()},
        "view": view,
        "known": {n: [v for v in known[n] if v not in column.missing] for n, column in types.items() if n in known},
        "sample": [{name: _cell(cell) for name, cell in row.items()} for row in taken.sample],
        "answers": [list(row) for row in taken.answers],
        "card": {name: taken.card[name] for name in _SHARED if name in taken.card},
    }
    return told, drawn


def _view(taken: Taken, kind: str) -> tuple[dict[str, Any], bytes | None]:
    """Return what a view has learned as the page's scripts take it."""
    view = carried_view(taken.facts["view"], taken.facts["columns"])
    told, drawn = _learned(getattr(view, "views", {kind: view}))
    if kind == "together":
        told["packing"] = {"steps": STEPS, "most": MOST}
    return told, drawn


def _learned(views: Mapping[str, View]) -> tuple[dict[str, Any], bytes | None]:
    """Return the same by the view's name, and the graph of a table among them."""
    told: dict[str, Any] = {}
    drawn = None
    for name, part in views.items():
        files = part.learned()
        if name == "tokens":
            told[name] = json.loads(files["tokenizer.json"])
        elif name == "ngrams":
            learned = unpack("ngrams", files)["texts"]
            kept = {key: learned[key] for key in ("length", "spaced", "terms")}
            told[name] = {**kept, "idf": _array(learned["idf"]), "step": TERM}
        elif name == "pixels":
            told[name] = json.loads(files["pixels.json"])
        else:
            drawn = front(part)
            told[name] = {"columns": list(part.types)}
    return told, drawn


def _topics(learned: Mapping[str, Any]) -> dict[str, Any]:
    arrays = {name: _array(learned[name]) for name in ("idf", "topics", "spread")}
    logs = np.log(
        np.arange(1, _MOST_TIMES + 1, dtype=np.float32)
    )  # numpy's own, which differ from a browser's in the last bit
    return {"spaced": learned["spaced"], "terms": learned["terms"], **arrays, "logs": _array(logs)}


def _array(values: Any) -> dict[str, str]:
    kind = np.dtype(values.dtype).newbyteorder("<")
    return {"dtype": values.dtype.name, "base64": base64.b64encode(values.astype(kind).tobytes()).decode()}


def _cell(cell: Any) -> Any:
    return {"base64": base64.b64encode(cell).decode()} if isinstance(cell, bytes) else cell
