"""Table, texts and pictures side by side: what lies where, and that it is what their own views give."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import InputSpec, side_by_side, table_inputs
from kd_core.data.pictures.column import as_files
from kd_core.data.view import HeldOut
from kd_core.data.views import VIEWS
from kd_core.models.side_by_side import taken_apart
from tests.laws.test_views import TYPES, fitted, make_frame, odd_rows

TOGETHER = VIEWS.get("together")


def some(*kinds):
    return {name: column for name, column in TYPES.items() if column.kind in kinds}


def apart(spec, x):
    """The parts of encoded rows, by the kind of view."""
    ends = np.cumsum([p.packed for p in spec.parts])[:-1]
    return {p.kind: p.unpack(own) for p, own in zip(spec.parts, np.split(x, ends, axis=1), strict=True)}


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5), (1, 1, 1), (3, 9, 8)])
def test_bytes_come_back_from_three_in_a_number(shape):
    spec = InputSpec("pixels", shape, "uint8", high=256)
    x = spec.example(5)
    x[0], x[1] = 255, 0
    packed = spec.pack(x)
    assert packed.shape == (5, spec.packed) and spec.packed == -(-spec.width // 3) and packed.min() >= 0
    assert np.array_equal(spec.unpack(packed), x)
    (taken,) = taken_apart(torch.from_numpy(packed), [spec])
    assert taken.dtype == torch.float32 and np.array_equal(taken.numpy(), x)


def test_fractions_are_kept_in_steps_and_the_largest_are_bounded():
    spec = table_inputs(4)
    x = np.array([[0.0, 1 / 3, -2.5, 1e9], [-1e9, 1e-9, 100.001, -0.25]], np.float32)
    found = spec.unpack(spec.pack(x))
    assert np.abs(found - x.clip(-32768, 32768)).max() < 1 / 65_536
    (taken,) = taken_apart(torch.from_numpy(spec.pack(x)), [spec])
    assert np.array_equal(taken.numpy(), found)


def test_each_part_is_what_its_own_view_gives():
    view, frame, own = fitted(TOGETHER)
    x = apart(view.spec, view.encode(frame, own))
    assert list(x) == ["table", "ngrams", "pixels"]
    for kind, names in (("ngrams", ("text",)), ("pixels", ("picture",))):
        alone = VIEWS.get(kind).make(some(*names), "multiclass", 0)
        alone.fit(frame, np.arange(len(frame)) % 3, None)
        assert np.array_equal(x[kind], alone.encode(frame))
    alone = VIEWS.get("table").make(some("number", "category", "boolean", "datetime"), "multiclass", 0)
    known = alone.fit(frame, np.arange(len(frame)) % 3, None)
    assert np.abs(x["table"] - alone.encode(frame, known)).max() < 1 / 65_536
    taken = taken_apart(torch.from_numpy(view.encode(frame, own)), view.spec.parts)
    assert all(np.array_equal(one.numpy(), x[p.kind]) for one, p in zip(taken, view.spec.parts, strict=True))


@pytest.mark.parametrize(
    ("kinds", "parts"),
    [
        (("number", "text"), ["table", "ngrams"]),
        (("number", "picture"), ["table", "pixels"]),
        (("text", "picture"), ["ngrams", "pixels"]),
    ],
)
def test_two_sorts_are_enough_and_one_is_not(kinds, parts):
    assert TOGETHER.facts["fits"](some(*kinds)) is None
    view = TOGETHER.make(some(*kinds), "multiclass", 0)
    frame = make_frame()
    view.fit(frame, np.arange(len(frame)) % 3, None)
    assert [p.kind for p in view.spec.parts] == parts and view.encode(frame).shape == (80, *view.spec.shape)
    for kind in kinds:
        assert TOGETHER.facts["fits"](some(kind)).startswith("needs two of these")


def test_rows_held_out_are_encoded_without_their_targets():
    view, frame, _ = fitted(TOGETHER)
    train, validation = np.arange(60), np.arange(60, 80)
    y = np.arange(60) % 3
    view.fit(frame.iloc[train], y, None)
    parts = {"train": view.encode(frame.iloc[train]), "validation": view.encode(frame.iloc[validation])}
    held = np.arange(60) < 20
    made = frame.iloc[:5]

    def told(labels):
        rows = HeldOut(frame, train, validation, labels, None, held, parts, made)
        return view.without(rows)

    rest, seen, left = told(y)
    assert (len(rest), len(seen), len(left)) == (40, 20, 25) and {x.dtype for x in (rest, seen, left)} == {
        np.dtype("int32")
    }
    other = np.where(held, 2 - y, y)  # other labels of the rows held out alone
    assert all(np.array_equal(one, two) for one, two in zip((rest, seen, left), told(other), strict=True))
    wide = view.spec.parts[0].packed
    assert np.array_equal(rest[:, wide:], parts["train"][~held][:, wide:])
    assert np.array_equal(left[:, wide:], np.concatenate([parts["train"][:20], view.encode(made)])[:, wide:])
    assert not np.array_equal(np.sort(rest[:, :wide]), np.sort(parts["train"][~held][:, :wide]))
    plain = TOGETHER.make(some("number", "text"), "multiclass", 0)
    plain.fit(frame.iloc[train], y, None)
    both = {"train": plain.encode(frame.iloc[train]), "validation": plain.encode(frame.iloc[validation])}
    assert plain.without(HeldOut(frame, train, validation, y, None, held, both)) is None
    none = TOGETHER.make(some("picture", "text"), "multiclass", 0)
    assert none.without(HeldOut(frame, train, validation, y, None, held, both)) is None


def test_raw_rows_are_read_each_column_as_its_own_view_does():
    view, whole, _ = fitted(TOGETHER)
    frame = whole[list(view.types)]  # not the histories, which a view of their own reads
    assert {*whole} - {*frame} == {n for n, c in TYPES.items() if c.kind == "items"} == {"basket"}
    expected = view.encode(frame.iloc[:6])
    files = as_files(frame.iloc[:6]).astype("object")
    rows = files.where(files.notna(), None).to_dict("records")
    for given in (rows, files, [list(row.values()) for row in rows], rows[0]):
        names = list(frame.columns)
        ordered = (
            given
            if not isinstance(given, list) or isinstance(given[0], dict)
            else [[row[names.index(n)] for n in view.types] for row in given]
        )
        found, said = view.read(ordered)
        assert np.array_equal(found, expected[: len(found)]) and said == ()
    for row, wanted in zip(rows, expected, strict=True):  # one alone goes a shorter way to the same bits
        assert np.array_equal(view.read(row)[0][0], wanted)
    assert np.array_equal(view.read({**rows[0], "price": "dear"})[0], view.read([{**rows[0], "price": None}])[0])
    found, said = view.read([{**rows[0], "photo": None, "price": "dear", "more": 1}])
    assert said == (
        "1 column is not used: more",
        "1 value of price could not be read as a number and counted as missing: row 1, 'dear'.",
        "1 cell of photo holds no picture and was read as black: row 1.",
    )
    assert view.read([])[0].shape == (0, *view.spec.shape)


def test_the_first_pieces_of_words_read_as_before_but_for_the_others():
    view, frame, _ = fitted(TOGETHER)
    few = view.first(5)
    whole, less = (apart(v.spec, v.encode(frame)) for v in (view, few))
    assert np.array_equal(whole["pixels"], less["pixels"]) and np.array_equal(whole["table"], less["table"])
    known = np.where(whole["ngrams"] < 6 * 4096, whole["ngrams"], 0)
    assert np.array_equal(np.sort(known, axis=1), np.sort(less["ngrams"], axis=1)) and few.spec.shape == view.spec.shape
    assert len(b"".join(few.learned().values())) < len(b"".join(view.learned().values()))


def test_a_picture_that_is_missing_is_black():
    view, frame, _ = fitted(TOGETHER)
    x = apart(view.spec, view.encode(odd_rows(frame)))
    assert not x["pixels"][1].any() and x["pixels"][0].any()


def test_a_spec_of_parts_counts_what_lies_side_by_side():
    spec = side_by_side("together", [table_inputs(3), InputSpec("pixels", (3, 8, 8), "uint8", high=256)])
    assert spec.shape == (3 + 64,) and spec.dtype == "int32" and spec.row_bytes == 4 * 67
    assert spec.example(2).shape == (2, 67)
    told = json.loads(json.dumps(asdict(spec)))  # as pages keep what a file holds
    assert InputSpec.of(told) == spec and hash(InputSpec.of(told)) == hash(spec)
    assert InputSpec.of(json.loads(json.dumps(asdict(table_inputs(3))))) == table_inputs(3)
