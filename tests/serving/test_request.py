"""Bodies of every kind become rows or a refusal; nothing else."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kd_core import limits
from kd_core.data.types.base import ColumnType
from kd_core.serving.answering import Answering
from kd_core.serving.request import Refused, read

NUMBERS = st.integers(-(10**400), 10**400) | st.floats(allow_nan=False)
CELLS = st.none() | st.booleans() | NUMBERS | st.text(max_size=20) | st.characters(categories=["Cs"])
ANYTHING = st.recursive(
    CELLS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
ROWS = st.fixed_dictionaries({"a": ANYTHING, "b": CELLS, "kind": CELLS}) | st.lists(CELLS, max_size=4)
BODIES = st.fixed_dictionaries({"rows": st.lists(ROWS, max_size=4)}) | st.fixed_dictionaries({"row": ROWS}) | ANYTHING


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_any_json_is_answered_or_refused_in_words(served, body):
    answering = Answering(served, 1)
    try:
        told = asyncio.run(answering.answer(json.dumps(body).encode()))
    except Refused as error:
        assert 400 <= error.status < 500 and error.message and error.hint
    else:
        json.dumps(told, allow_nan=False)
    finally:
        answering.close()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_words(served, body):
    with pytest.raises(Refused) as raised:
        read(b"[" + body, served)
    assert raised.value.code in ("bad_json", "bad_request")


def test_whole_numbers_beyond_64_bits_are_read_as_numbers(served):
    asked = read(b'{"row": {"a": 123456789012345678901234567890, "b": 12, "kind": null}}', served)
    assert asked.rows == [{"a": 1.2345678901234568e29, "b": 12, "kind": None}] and type(asked.rows[0]["b"]) is int


def picture(side=4, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.full((side, side), 7, np.uint8)).save(file, form)
    return file.getvalue()


@pytest.fixture
def of_pictures(served):
    return replace(served, types={"number": ColumnType("number"), "photo": ColumnType("picture")})


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("as_list", [False, True])
def test_pictures_come_as_base64(of_pictures, before, as_list):
    text = before + base64.b64encode(picture()).decode()
    row = [1, text] if as_list else {"number": 1, "photo": text}
    asked = read(json.dumps({"row": row}).encode(), of_pictures)
    assert asked.rows == [[1, picture()]] if as_list else asked.rows == [{"number": 1, "photo": picture()}]


def test_a_missing_picture_stays_missing(of_pictures):
    rows = [{"number": 1, "photo": None}, {"number": 1}, [1]]
    assert read(json.dumps({"rows": rows}).encode(), of_pictures).rows == rows


@pytest.mark.parametrize(
    ("cell", "said"),
    [("no base64!", "a text that is no base64"), (3, "a number"), ({}, "an object"), ("é", "no base64")],
)
def test_what_is_no_picture_is_refused_by_row_and_column(of_pictures, cell, said):
    with pytest.raises(Refused, match=f"Row 2: 'photo' holds .*{said}, not a picture") as raised:
        read(json.dumps({"rows": [{"number": 1, "photo": None}, {"number": 1, "photo": cell}]}).encode(), of_pictures)
    assert raised.value.status == 422


def test_pixels_of_a_request_are_counted_by_what_the_heads_claim(of_pictures):
    """Black squares take few bytes, and memory by the million."""
    side = int(limits.PICTURE_PIXELS**0.5) // 2
    text = base64.b64encode(picture(side)).decode()
    few = json.dumps({"rows": [{"number": 1, "photo": text}] * 4}).encode()
    assert len(read(few, of_pictures).rows) == 4
    many = json.dumps({"rows": [{"number": 1, "photo": text}] * 5}).encode()
    with pytest.raises(Refused, match="pixels; at most 50,000,000") as raised:
        read(many, of_pictures)
    assert raised.value.status == 413
