"""Parquet keeps its own types."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kd_core import limits
from kd_core.data import parquet_check
from kd_core.data.reading import read_table
from kd_core.errors import DataError


def test_types(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table(
            {
                "n": [1, 2],
                "gap": pa.array([1, None], pa.int64()),
                "x": [1.5, None],
                "s": ["a", None],
                "flag": [True, False],
                "maybe": pa.array([True, None]),
                "day": [dt.date(2024, 1, 2), None],
                "money": pa.array([decimal.Decimal("1.25"), None]),
                "kind": pa.array(["u", "v"]).dictionary_encode(),
                "raw": pa.array([b"\x01\xff", None]),
                "none": pa.nulls(2),
            }
        ),
        path,
    )
    frame = read_table(path).frame
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["n"] == "int64" and kinds["gap"] == kinds["x"] == kinds["money"] == "float64"
    assert kinds["s"] == kinds["kind"] == kinds["maybe"] == kinds["raw"] == kinds["none"] == "str"
    assert kinds["flag"] == "bool" and kinds["day"].startswith("datetime64")
    assert frame["raw"][0] == "01ff" and frame["maybe"][0] == "true"


def test_no_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match=r"No data rows; 1 column\(s\) found."):
        read_table(path)


def test_columns_are_found_by_place_whatever_their_names(tmp_path):
    path = tmp_path / "t.parquet"
    columns = [[1, 2, 3], ["x", "y", None], [0.5, 1.5, 2.5], [True, False, True]]
    pq.write_table(pa.table([pa.array(c) for c in columns], names=["a", "a.b", "a", "b"]), path, row_group_size=2)
    frame = read_table(path).frame
    assert list(frame.columns) == ["a", "a.b", "a (2)", "b"]
    assert [frame.iloc[:, i].tolist()[:2] for i in range(4)] == [c[:2] for c in columns]
    assert len(frame) == 3


def test_an_unpacked_size_over_the_cap_is_noticed_before_all_is_read(tmp_path, monkeypatch):
    path, read = tmp_path / "t.parquet", []
    pq.write_table(pa.table({"a": np.zeros(100_000)}), path)
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 100_000)
    monkeypatch.setattr(parquet_check, "BATCH_ROWS", 1_000)
    batches = pq.ParquetFile.iter_batches
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda *a, **k: (read.append(1) or b for b in batches(*a, **k)))
    with pytest.raises(DataError, match=r"t\.parquet unpacks to more than 0 MB, the most that is read\. Take a sample"):
        parquet_check.measure(str(path), "t.parquet")
    assert 12 <= len(read) <= 14
