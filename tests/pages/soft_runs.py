"""Finished runs whose kept rows have many classes, texts or pictures, for tests and benchmarks of soft labels."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kd_core.data.pictures.column import png
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import write_rules
from tests.pages.fixtures import done_run, store

KINDS = ("table", "english", "chinese", "pictures")
WORDS = {
    "english": ("parcel late", "card declined", "where is my refund", "<b>cannot</b> log in $x$"),
    "chinese": ("快递太慢了", "屏幕很清晰", "水果不新鲜", "房间干净"),
}


def answers(num: int, rows: int, seed: int = 0) -> dict[str, Any]:
    """Logits of three models in which neighbouring classes look alike, labels and row numbers."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num, rows)
    far = np.abs(np.arange(num)[None] - labels[:, None])
    alike = np.where(far % num == 0, 5.0, np.where(np.minimum(far, num - far) == 1, 2.5, 0.0))
    teacher = (alike + rng.normal(scale=1.2, size=(rows, num))).astype(np.float32)
    student = teacher + rng.normal(scale=0.9, size=(rows, num)).astype(np.float32)
    baseline = (0.6 * alike + rng.normal(scale=1.5, size=(rows, num))).astype(np.float32)
    return {"row_ids": np.arange(rows) * 3, "labels": labels, "teacher": teacher, "student_0": student, "baseline_0": baseline}  # fmt: skip


def content(kind: str, rows: int, texts: Sequence[str] = ()) -> tuple[pd.DataFrame, str, dict[str, ColumnType]]:
    """Rows of a kind, with the view and the columns that it reads."""
    if kind == "pictures":
        files = [png(np.full((8, 8, 1), i % 256, np.uint8)) for i in range(rows)]
        return pd.DataFrame({"photo": files}), "pixels", {"photo": ColumnType("picture")}
    if kind == "table":
        frame = pd.DataFrame({"pages": np.arange(rows), "device": [f"phone {i % 4}" for i in range(rows)]})
        return frame, "table", {"pages": ColumnType("number"), "device": ColumnType("category")}
    said = list(texts) or [f"{WORDS[kind][i % 4]} {i}" for i in range(rows)]
    return pd.DataFrame({"said": said}), "tokens", {"said": ColumnType("text")}


def soft_run(
    num: int, rows: int, kind: str = "table", classes: Sequence[str] = (), texts: Sequence[str] = ()
) -> tuple[str, dict[str, Any]]:
    """Make a finished run with these rows kept; return its id and what was written."""
    names = tuple(classes) or tuple(f"class {i:03d}" for i in range(num))
    run_id = done_run("binary" if num == 2 else "multiclass", classes=names)
    folder = store().folder(run_id)
    written = answers(num, rows)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **written)
    folder.artifact("soft_labels.npz").write_bytes(buffer.getvalue())
    frame, view, types = content(kind, rows, texts)
    frame.to_parquet(folder.artifact("rows.parquet"))
    keep_view(run_id, view, types)
    found = folder.result()
    found["artifacts"] |= {"rows_kept": rows, "rows_of": rows}
    folder.write_result(found)
    return run_id, written


def keep_view(run_id: str, kind: str, types: dict[str, ColumnType]) -> None:
    """Let a finished run hold a view of its student."""
    folder = store().folder(run_id)
    place = f"artifacts/views/{kind}/columns.json"
    (folder.path / place).parent.mkdir(parents=True)
    (folder.path / place).write_bytes(write_rules(types))
    found = folder.result()
    for entry in found["artifacts"]["students"]:
        entry["view"] = [place]
    folder.write_result(found)


def sent(at):
    """What the page sent to the browser: words and plain values, and the columns of rows by name."""
    (made,) = [c.proto for c in at.get("bidi_component") if "kd_soft_" in c.proto.component_name]
    said = json.loads(made.mixed.json)
    tables = {ref: pa.ipc.open_stream(blob.data).read_all() for ref, blob in made.mixed.arrow_blobs.items()}
    return {
        k: tables[next(iter(v.values()))]
        if isinstance(v, dict) and len(v) == 1 and next(iter(v.values())) in tables
        else v
        for k, v in said.items()
    }
