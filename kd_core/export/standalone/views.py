"""What reads rows where no operations of a graph can: texts, pictures, histories, and everything of a row together.

A view takes the cells of its columns and gives what the graph takes, and what a person should be told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.data.encoding.saved import unpack
from kd_core.data.input_spec import InputSpec, table_inputs
from kd_core.data.plain.counted import plural
from kd_core.data.plain.history import numbered, numbers_of, skipped
from kd_core.data.plain.rows import Rows, UnfitRows
from kd_core.data.plain.table_row import features
from kd_core.data.plain.weighted_pieces import known_pieces, weighed

Cells = Mapping[str, Sequence[Any]]
View = Callable[[Cells], tuple[Any, tuple[str, ...]]]
Files = Mapping[str, bytes]
NEEDS = {"tokens": ("tokenizers",), "pixels": ("pillow",), "together": ("pillow",)}  # beside numpy and onnxruntime


def opened_view(kind: str, files: Files, rows: Rows) -> View:
    """Open a view by what it has learned. Errors: ValueError for a kind that this program does not know."""
    if kind not in _VIEWS:
        raise ValueError(f"rows are read by the view '{kind}', which this program does not know")
    return _VIEWS[kind](files, rows)


def _texts(cells: Cells, rows: Rows) -> list[str]:
    """Join each row's texts; a missing one is empty."""
    found, _ = rows.typed({name: cells[name] for name, rule in rows.rules.items() if rule["kind"] == "text"})
    return [" ".join(parts) for parts in zip(*(values[:, 0].tolist() for values in found.values()), strict=True)]


def _tokens(files: Files, rows: Rows) -> View:
    from tokenizers import Tokenizer

    text = files["tokenizer.json"].decode()
    tokenizer, length = Tokenizer.from_str(text), json.loads(text)["truncation"]["max_length"]
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def read(cells: Cells) -> tuple[Any, tuple[str, ...]]:
        texts = _texts(cells, rows)
        x = np.zeros((len(texts), length), np.int32)
        for at, found in enumerate(tokenizer.encode_batch_fast(texts)):
            ids = found.ids[:length]
            x[at, : len(ids)] = ids
        return x, ()

    return read


def _ngrams(files: Files, rows: Rows) -> View:
    told = unpack("ngrams", files)["texts"]
    numbers = {term: number for number, term in enumerate(told["terms"], 1)}

    def read(cells: Cells) -> tuple[Any, tuple[str, ...]]:
        known = [known_pieces(text, told["spaced"], numbers) for text in _texts(cells, rows)]
        return weighed(known, told["idf"], told["length"]), ()

    return read


def _sequence(files: Files, rows: Rows) -> View:
    told = json.loads(files["sequence.json"])
    name, length = told["column"], told["length"]
    rule = rows.rules[name]
    separator, numbers = rule.get("separator", ""), numbers_of(rule["catalogue"])

    def read(cells: Cells) -> tuple[Any, tuple[str, ...]]:
        found, said = rows.typed({name: cells[name]})
        x, unknown = numbered(found[name][:, 0].tolist(), separator, numbers, length)
        return x, (*said, *skipped(unknown, name))

    return read


def _pixels(files: Files, rows: Rows) -> View:
    from kd_core.data.plain.picture import decoded

    told = json.loads(files["pixels.json"])
    name, (_, bands, height, width) = told["column"], told["shape"]

    def read(cells: Cells) -> tuple[Any, tuple[str, ...]]:
        x = np.zeros((len(cells[name]), height, width, bands), np.uint8)
        black = 0
        for at, cell in enumerate(cells[name]):
            if cell is None or cell == "" or cell != cell:
                black += 1
                continue
            found = decoded(bytes(cell), (height, width, bands)) if isinstance(cell, bytes | bytearray) else None
            if found is None or isinstance(found, str):
                why = (
                    found
                    or f"it is a {type(cell).__name__}, not the content of a picture's file, as open(name, 'rb').read() gives it"
                )
                raise UnfitRows(f"The picture of row {at + 1:,} under '{name}' can't be read: {why}.")
            x[at] = found
        hold, were = ("holds", "was") if black == 1 else ("hold", "were")
        said = (f"{plural(black, 'cell')} of {name} {hold} no picture and {were} read as black.",) if black else ()
        return np.array(x.transpose(0, 3, 1, 2), order="C"), said

    return read


def _table(files: Files, rows: Rows) -> View:
    blocks = unpack("table", files)

    def read(cells: Cells) -> tuple[Any, tuple[str, ...]]:
        given, said = rows.typed({name: cells[name] for name in blocks})
        return features(blocks, rows.rules, given), said

    return read


def _together(files: Files, rows: Rows) -> View:
    """Put the rows of each view side by side, as whole numbers."""
    parts = [
        make(files, rows)
        for make, file in ((_table, "table.json"), (_ngrams, "ngrams.json"), (_pixels, "pixels.json"))
        if file in files
    ]

    def read(cells: Cells) -> tuple[Any, tuple[str, ...]]:
        found = [part(cells) for part in parts]
        packed = [_spec(x).pack(x) for x, _ in found]
        return np.concatenate(packed, axis=1), tuple(one for _, said in found for one in said)

    return read


def _spec(x: Any) -> InputSpec:
    return (
        table_inputs(x.shape[1]) if x.ndim == 2 and x.dtype == np.float32 else InputSpec("", x.shape[1:], str(x.dtype))
    )


_VIEWS: dict[str, Callable[[Files, Rows], View]] = {
    "tokens": _tokens,
    "ngrams": _ngrams,
    "pixels": _pixels,
    "sequence": _sequence,
    "together": _together,
}
