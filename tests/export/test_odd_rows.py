"""The graph, the quick reader and the engine read every row alike, however odd."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from kd_core.data.encoding.one_row import OneRow
from kd_core.data.types.raw_rows import typed_rows
from kd_core.data.types.row_reader import RowReader
from kd_core.data.views import VIEWS
from kd_core.export.raw_session import open_front
from tests.export.tables import ODD, ROWS, columns, odd_rows

DRAWN = ["table", "columns"]


def fitted(kind, task="binary"):
    frame, types, told = columns()
    view = VIEWS.get(kind).make(types, task, 0)
    y = (
        np.arange(ROWS) % 2
        if task == "binary"
        else np.arange(ROWS) % 20
        if task == "multiclass"
        else np.arange(ROWS) * 0.5
    )
    view.fit(frame, y, None)
    return view, told


def both(view, session, rows):
    typed, _, said = typed_rows(rows, view.types)
    found, told = session.run(rows)
    assert found.dtype == np.float32 and sorted(told) == sorted(said)
    return view.encode(typed), found


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_graph_and_engine_encode_odd_rows_alike(kind, task):
    view, told = fitted(kind, task)
    session = open_front(view)
    wanted, found = both(view, session, odd_rows(told, 600))
    assert np.allclose(found, wanted, rtol=1e-6, atol=1e-5, equal_nan=True)
    assert np.isnan(found).any() == (kind == "columns")


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWN)
def test_ten_thousand_odd_rows(kind):
    view, told = fitted(kind)
    session = open_front(view)
    for part in range(10):
        wanted, found = both(view, session, odd_rows(told, 1000, seed=part))
        assert np.allclose(found, wanted, rtol=1e-6, atol=1e-5, equal_nan=True)


@pytest.mark.slow
def test_a_row_alone_is_read_as_among_others():
    view, told = fitted("table")
    session, rows = open_front(view), odd_rows(told, 200, seed=5)
    together, _ = session.run(rows)
    for _ in range(2):  # the second time from memory
        alone = np.concatenate([session.run(row)[0] for row in rows])
        assert np.allclose(together, alone, rtol=0, atol=2e-6)  # sums of a few rows and of many round differently


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_row_without_a_frame_is_encoded_to_the_same_bits(kind, task):
    frame, types, told = columns()
    view = VIEWS.get(kind).make(types, task, 0)
    y = np.arange(ROWS) % {"binary": 2, "multiclass": 20, "regression": ROWS}[task]
    view.fit(frame, y * 0.5 if task == "regression" else y, None)
    reader, quick = RowReader(types), OneRow.of(view.blocks, types)
    rows = odd_rows(told, 600, seed=7)
    usual = [{name: told[name][i] for name in types} for i in range(100)]
    numbers = typed_rows(usual, types)[0].select_dtypes("number").astype("object")
    numbers = numbers.where(numbers.notna(), None).to_dict("records")
    rows += 2 * [{**row, **own} for row, own in zip(usual, numbers, strict=True)]  # the second time from memory
    wanted = view.encode(typed_rows(rows, types)[0])
    short = 0
    for row, own in zip(rows, wanted, strict=True):
        given = reader.one(row)
        short += given is not None
        given = (
            reader.read([row])[0] if given is None else given[0]
        )  # what is odd goes the long way, to the same arrays
        found = quick.encode(given)[0]
        assert found.tobytes() == own.tobytes(), row
    assert short >= 100
    assert OneRow.of({"a": object()}, {}) is None


def test_a_row_read_into_held_arrays_is_overwritten_in_its_own_thread_alone():
    _, types, _ = columns()
    reader = RowReader({name: column for name, column in types.items() if column.kind == "number"})
    rows = [{name: float(n) for name in reader.types} for n in (1, 2)]
    first, _ = reader.one(rows[0])
    with ThreadPoolExecutor(1) as other:
        second, _ = other.submit(reader.one, rows[1]).result()
    assert all(values[0, 0] == 1 for values in first.values()) and all(values[0, 0] == 2 for values in second.values())
    kept = reader.read(rows[0])[0]
    again, _ = reader.one(rows[1])
    assert again is first and all(values[0, 0] == 1 for values in kept.values())


@pytest.mark.slow
@pytest.mark.parametrize("texts", [True, False])  # without free text one row alone takes the short way
def test_every_odd_value_in_every_column_is_read_as_the_engine_reads_it(texts):
    _, types, told = columns()
    reader = RowReader({name: column for name, column in types.items() if column.kind != "text" or texts})
    types, told = reader.types, {name: told[name] for name in reader.types}
    usual = {name: cells[0] for name, cells in told.items()}
    for name in told:
        for value in ODD:
            row = {**usual, name: value}
            typed, _, said = typed_rows([row], types)
            for form in (row, [row], pd.DataFrame({n: pd.Series([v], dtype="object") for n, v in row.items()})):
                found, lost = reader.read(form)
                assert lost == said, (name, value)
                assert as_read(found[name][0, 0]) == as_typed(typed[name].iloc[0], types[name]), (
                    name,
                    value,
                    type(form),
                )


def as_read(cell):
    return None if cell == "" or cell != cell else cell


def as_typed(cell, column):
    if pd.isna(cell):
        return None
    if column.kind == "datetime":
        return cell.timestamp()
    return float(cell) if column.codes or column.kind == "number" else cell


def test_frames_of_text_numbers_and_dates_are_read_as_dicts_are():
    frame, types, told = columns()
    reader = RowReader(types)
    rows = [dict(zip(told, cells, strict=True)) for cells in zip(*told.values(), strict=True)]
    wanted, _ = reader.read(rows)
    for given in (pd.DataFrame(told, dtype="str"), pd.DataFrame(told, dtype="object"), frame):
        found, said = reader.read(given)
        assert said == ()
        for name, values in wanted.items():
            same = values == found[name]
            assert (same | ((values != values) & (found[name] != found[name]))).all(), name


def test_labels_of_many_positions_are_laid_out_alike(monkeypatch):
    view, told = fitted("table")
    rows = odd_rows(told, 100, seed=7)
    wanted, _ = open_front(view).run(rows)
    monkeypatch.setattr("kd_core.data.encoding.raw_graph.FEW_POSITIONS", 0)
    found, _ = open_front(view).run(rows)
    assert np.array_equal(found, wanted)


def test_a_row_with_more_columns_takes_the_short_way_and_is_told():
    _, types, told = columns()
    reader = RowReader(types)
    row = {name: cells[0] for name, cells in told.items()}
    usual, said = reader.one(row)
    assert said == ()
    usual = {name: values.copy() for name, values in usual.items()}
    found, said = reader.one({"id": 7, **row, "more": [1]})
    assert said == ("2 columns are not used: id, more",) == reader.read([{"id": 7, **row, "more": [1]}])[1]
    assert all(np.array_equal(found[name], values) for name, values in usual.items())
    assert reader.one({**row, "price": [1]}) is None and reader.one({**row, "gift": [1]}) is None
    assert reader.one({name: cell for name, cell in row.items() if name != "gift"}) is None


def test_frames_of_other_kinds_are_read_as_dicts_are():
    _, types, told = columns()
    frame = pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in told.items()})
    other = frame.assign(
        price=frame["price"].astype("float32"),
        stamp=frame["stamp"].astype("Int64"),
        code=frame["code"].astype("int16"),
        paid_by_card=frame["paid_by_card"] == "1",
        gift=frame["gift"] == "yes",
        colour=frame["colour"].astype("category"),
        town=frame["town"].astype("category"),
        when=pd.to_datetime(frame["when"]).dt.tz_localize("Asia/Tokyo"),
        hour=pd.to_datetime(frame["hour"]).astype("object"),
        paid=np.where(np.arange(ROWS) == 3, 1e200, frame["paid"].astype(float)),
    )
    reader = RowReader(types)
    wanted, lost = RowReader(types).read(other.astype("object").to_dict("records"))
    assert lost == ("1 value of paid could not be read as a number and counted as missing: row 4, '1e+200'.",)
    for given, more in ((other, ()), (other.assign(id=1, more="x"), ("2 columns are not used: id, more",))):
        found, said = reader.read(given)
        assert said == (*more, *lost)
        for name, values in wanted.items():
            assert found[name].dtype == values.dtype and found[name].shape == (ROWS, 1)
            same = (values == found[name]) | ((values != values) & (found[name] != found[name]))
            assert same.all(), name
    twice = pd.concat([other, other.assign(id=1)[["id", "id"]]], axis=1)
    found, said = reader.read(twice)
    assert said[0].startswith("2 columns are not used: id, id") and np.array_equal(found["gift"], wanted["gift"])
