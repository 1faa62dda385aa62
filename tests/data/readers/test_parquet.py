"""Parquet keeps its own types."""

import datetime as dt
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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
