"""Parquet keeps its own types."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kd_core import limits
from kd_core.data.files import parquet_check
from kd_core.data.files.reading import read_table
from kd_core.data.profile import profile_table
from kd_core.errors import DataError


@pytest.mark.slow
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
    with pytest.raises(DataError, match=r"No data rows; 1 column found."):
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
    path, written = tmp_path / "t.parquet", []
    pq.write_table(pa.table({"a": np.zeros(100_000)}), path)
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 100_000)
    monkeypatch.setattr(parquet_check, "BATCH_ROWS", 1_000)
    expanded = parquet_check._expanded
    monkeypatch.setattr(parquet_check, "_expanded", lambda piece: (written.append(len(piece)), expanded(piece))[1])
    with pytest.raises(DataError, match=r"t\.parquet unpacks to more than 0 MB, the most that is read\. Take a sample"):
        parquet_check.unpack(str(path), str(tmp_path), "t.parquet")
    assert 11 <= len(written) <= 13


def repeated(tmp_path, rows, length, *, arrow_types=True):
    """A tiny file in which every row holds the same long text."""
    path = tmp_path / "repeated.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * length]))
    pq.write_table(pa.table({"a": text}), path, store_schema=arrow_types, compression="zstd")
    return path


@pytest.mark.parametrize("arrow_types", [True, False])
def test_bytes_are_counted_as_they_will_be_expanded_and_before_they_are(tmp_path, monkeypatch, arrow_types):
    path = repeated(tmp_path, 100_000, 56_000, arrow_types=arrow_types)
    assert path.stat().st_size < 1_000
    monkeypatch.setattr(parquet_check, "_expanded", lambda piece: pytest.fail("expanded before it was counted"))
    with pytest.raises(DataError, match=r"t\.parquet unpacks to more than 2,048 MB") as error:
        parquet_check.unpack(str(path), str(tmp_path), "t.parquet")
    assert error.value.code == "unpacks_too_large"


@pytest.mark.slow
def test_a_dictionary_within_the_caps_is_expanded_in_slices(tmp_path, monkeypatch):
    path, held = repeated(tmp_path, 5_000, 1_000), []
    monkeypatch.setattr(parquet_check, "SLICE_BYTES", 2**20)
    expanded = parquet_check._expanded
    monkeypatch.setattr(parquet_check, "_expanded", lambda piece: (held.append(len(piece)), expanded(piece))[1])
    assert parquet_check.unpack(str(path), str(tmp_path), "t.parquet")["size_bytes"] == 5_000 * 1_008
    assert max(held) * 1_000 <= 2**20 and sum(held) == 5_000
    frame = read_table(path).frame
    assert len(frame) == 5_000 and set(frame["a"]) == {"x" * 1_000}


def test_wide_bytes_are_refused_from_the_schema(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array([b"\0" * 4_000] * 3_000, pa.binary(4_000))}), path, compression="zstd")
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 10_000_000)
    monkeypatch.setattr(parquet_check._Column, "write", lambda *a: pytest.fail("read before it was counted"))
    with pytest.raises(DataError, match="unpacks to more than"):
        parquet_check.unpack(str(path), str(tmp_path), "t.parquet")


@pytest.mark.slow
def test_the_server_reads_no_parquet_itself(tmp_path, monkeypatch):
    path = repeated(tmp_path, 10, 10)
    for name in ("ParquetFile", "read_table"):
        monkeypatch.setattr(pq, name, lambda *a, **k: pytest.fail("read in the server process"))
    assert len(read_table(path).frame) == 10


@pytest.mark.slow
def test_durations_of_any_unit_are_seconds(tmp_path):
    path = tmp_path / "t.parquet"
    held = {unit: pa.array([1_500_000_001, None, -3], pa.duration(unit)) for unit in ("s", "ms", "us", "ns")}
    pq.write_table(pa.table(held), path)
    frame = read_table(path).frame
    assert frame["ns"].tolist()[0] == 1.500000001 and frame["s"][0] == 1_500_000_001.0
    assert np.isnan(frame["us"][1]) and frame["ms"][2] == -0.003
    column = profile_table(read_table(path)).column("ns")
    assert column.kind == "number" and column.missing == 1


def test_text_that_is_no_utf8_names_its_column_and_rows(tmp_path):
    path = tmp_path / "t.parquet"
    cells = [b"ok", b"\xff\xfe", None, "书".encode(), b"\xe4"]
    offsets = np.cumsum([0, *(len(c or b"") for c in cells)]).astype(np.int32)
    valid = pa.py_buffer(bytes([0b11011]))
    text = pa.Array.from_buffers(
        pa.string(), 5, [valid, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(c or b"" for c in cells))]
    )
    pq.write_table(pa.table({"x": [1, 2, 3, 4, 5], "name": text}), path)
    with pytest.raises(
        DataError, match=r"Column 'name': 2 cells are not valid UTF-8 text, in row 2, 5\. Write the column as UTF-8"
    ) as error:
        read_table(path)
    assert error.value.code == "bad_text"


def test_a_full_disk_is_told_as_such(tmp_path, monkeypatch):
    path = repeated(tmp_path, 10, 10)

    def full(*_):
        raise OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr(parquet_check._Column, "write", full)
    with pytest.raises(DataError, match=r"The disk is full: unpacking t\.parquet needs up to 2,048 MB") as error:
        parquet_check.unpack(str(path), str(tmp_path), "t.parquet")
    assert error.value.code == "disk_full"


@pytest.mark.slow
def test_a_file_of_200_mb_opens_under_the_readers_memory_limit(tmp_path):
    path, chance, rows = tmp_path / "t.parquet", np.random.default_rng(0), 1_200_000
    columns = {f"x{i}": chance.normal(size=rows) for i in range(20)}
    pq.write_table(pa.table({**columns, "c": pa.array(chance.choice(["red", "green", "blue"], rows))}), path)
    assert 180 * 2**20 < path.stat().st_size <= limits.FILE_BYTES
    assert read_table(path).frame.shape == (rows, 21)
