"""Whole files to be damaged: small ones of every format, specs, and the parts of a finished run."""

from __future__ import annotations

import functools
import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from kd_core.scenarios import default_spec

EXAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "example"
RUN_FILES = ("spec.json", "status.json", "result.json", "manifest.json", "events.jsonl")
ROWS = 40


def _csv() -> list[bytes]:
    rows = range(ROWS)
    plain = "\n".join(["a,b,c d,y", *(f'{i},{i / 7:.3f},"x, {i % 5}",{"yes" if i % 3 else "no"}' for i in rows)])
    dates = "\n".join(["day;amount;text", *(f"2024-01-{1 + i % 28:02d};1.234,{i:02d};Ärger {i}" for i in rows)])
    tabs = "\r\n".join(["# comment", "id\tflag\tn", *(f"k{i}\t{i % 2}\t{i * 10**9}" for i in rows)])
    odd = "\n".join(["书,b,b,", *(f"书{i},?,N/A,1e{i}" for i in rows)])
    return [
        plain.encode(),
        dates.encode("latin-1"),
        tabs.encode(),
        odd.encode("utf-8"),
        odd.encode("gb18030"),
        plain.encode("utf-16"),
        ("\ufeff" + dates).encode("utf-8"),
    ]


def _parquet() -> list[bytes]:
    chance = np.random.default_rng(0)
    words = pa.array([f"w{i % 7}" for i in range(ROWS)])
    tables = [
        pa.table({"n": np.arange(ROWS), "x": chance.normal(size=ROWS), "s": words, "d": words.dictionary_encode()}),
        pa.table(
            {
                "t": pa.array(np.arange(ROWS) * 10**9, pa.timestamp("ns", tz="Europe/Berlin")),
                "u": pa.array(range(ROWS), pa.duration("ns")),
                "f": pa.array([b"abcd"] * ROWS, pa.binary(4)),
                "r": pa.array([b"\xff\x00"] * ROWS, pa.large_binary()),
                "m": pa.array([None, 1] * (ROWS // 2), pa.decimal128(20, 3)),
                "h": pa.array(chance.normal(size=ROWS).astype(np.float16)),
            }
        ),
        pa.table(
            {
                "b": pa.array([True, None] * (ROWS // 2)),
                "day": pa.array(range(ROWS), pa.date32()),
                "clock": pa.array(range(ROWS), pa.time64("us")),
                "z": pa.nulls(ROWS),
                "i8": pa.array([1] * ROWS, pa.uint8()),
                "dn": pa.array([3, 4] * (ROWS // 2), pa.int64()).dictionary_encode(),
            }
        ),
    ]
    found = []
    for number, table in enumerate(tables):
        for compression in ("none", "zstd"):
            out = io.BytesIO()
            pq.write_table(
                table,
                out,
                compression=compression,
                row_group_size=15,
                use_dictionary=number != 1,
                data_page_version="2.0" if compression == "zstd" else "1.0",
            )
            found.append(out.getvalue())
    return found


def _xlsx() -> list[bytes]:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (["a", "b", "when"], *([i, f"x{i % 3}", f"2024-01-{1 + i % 28:02d}"] for i in range(ROWS))):
        book.active.append(row)
    book.create_sheet("second").append(["only"])
    book.save(out)
    stored = io.BytesIO()  # unpacked parts: a changed byte then reaches the XML, not only the checksum
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return [out.getvalue(), stored.getvalue()]


def _zip() -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name in ("a.csv", "folder/b.csv"):
                archive.writestr(name, "a,b\n" + "1,x\n2,y\n" * 20)
            archive.writestr("readme.md", "# about")
        found.append(out.getvalue())
    return found


def _jsonl() -> list[bytes]:
    rows = [{"a": i, "s": f"书{i % 4}", "x": i / 3, "f": i % 2 == 0, "gap": None if i % 3 else 1} for i in range(ROWS)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return [lines.encode(), json.dumps(rows).encode(), json.dumps(rows, indent=1).encode("utf-16")]


def _spec() -> list[bytes]:
    found = [default_spec(name).to_json() for name in ("purchase", "recommendation", "logistics")]
    values = json.loads(found[0])
    values["sweep"] = {"temperature": [1, 2, 4], "alpha": [0, 0.5], "mode": "auto"}
    values["training"] = {**values.get("training", {}), "seeds": 5, "epochs": 20}
    values["dataset"]["kinds"] = {"a": "number"}
    return [*(t.encode() for t in found), json.dumps(values, indent=1).encode()]


@functools.cache
def originals(kind: str) -> list[bytes]:
    """Return the whole files of a kind; those of `result` are the files of one finished run, by place in RUN_FILES."""
    if kind == "gz":
        return [gzip.compress(data) for data in _csv()[:3]]
    if kind == "result":
        return [(EXAMPLE / name).read_bytes() for name in RUN_FILES]
    return {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx, "zip": _zip, "jsonl": _jsonl, "spec": _spec}[kind]()
