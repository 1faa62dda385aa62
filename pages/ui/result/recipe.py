"""The recipe of a run as a table, a file, a command and a script; and everything that can be downloaded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.errors import KDError
from kd_core.reports import recipe
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import export_cell
from kd_core.specs import RunSpec
from pages.ui.access import cards
from pages.ui.result import verdict
from pages.ui.shared import text
from pages.ui.shared.text import t

NO_GAIN = [""] * 5  # of a row of metrics that is no student's


def show(folder: RunFolder, found: Mapping[str, Any] | None) -> None:
    """Draw the recipe and the downloads."""
    try:
        spec = folder.spec()
    except KDError as error:
        text.show_error(error)
        return
    name = f"{folder.id}.spec.json"
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.caption(t("runs.recipe.note"))
        cards.table(settings(spec), hide_index=True, height=460, alt=t("runs.recipe.json"), placeholder="–")
    with right:
        downloads(folder, spec, found, name)
    st.markdown(f"**{t('runs.recipe.cli')}**")
    line = recipe.command(spec)
    if line:
        st.code(line, language="bash", wrap_lines=True)
    st.caption(t("runs.recipe.cli_file" if line else "runs.recipe.cli_file_only"))
    st.code(recipe.run_line(name), language="bash", wrap_lines=True)
    if found and "model" in (found.get("artifacts") or {}):
        st.markdown(f"**{t('runs.recipe.predict')}**")
        st.code(f"python -m kd_core predict {folder.id} rows.csv", language="bash", wrap_lines=True)
        st.markdown(f"**{t('runs.recipe.serve')}**")
        st.code(f"python -m kd_core serve {folder.id}", language="bash", wrap_lines=True)
    st.markdown(f"**{t('runs.recipe.script')}**")
    st.caption(t("runs.recipe.script_note"))
    st.code(recipe.script(spec), language="python", wrap_lines=True)


def settings(spec: RunSpec) -> pd.DataFrame:
    """Flatten a spec to one line per setting, in the order of its fields."""
    lines: list[tuple[str, str]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        elif isinstance(value, list) and any(isinstance(v, Mapping) for v in value):
            for i, inner in enumerate(value, 1):
                walk(f"{prefix} {i}", inner)
        elif value not in (None, {}, [], ""):
            lines.append((prefix, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))

    walk("", spec.model_dump(mode="json"))
    if spec.training.seeds is None:  # what decides the trainings is said even where it is left to the engine
        at = next((i for i, (name, _) in enumerate(lines) if name == "training.first_seed"), len(lines))
        lines.insert(at, ("training.seeds", str(t("common.auto"))))
    return pd.DataFrame(lines, columns=[str(t("runs.recipe.setting")), str(t("runs.recipe.value"))])


def downloads(folder: RunFolder, spec: RunSpec, found: Mapping[str, Any] | None, name: str) -> None:
    """Offer every file of the run, what most people need first and the rest folded; what is large is read only when pressed."""
    st.markdown(f"**{t('runs.recipe.downloads')}**")
    offer(t("runs.recipe.json"), recipe.as_json(spec), name, "application/json", "spec")
    if not found:
        _curves(folder)
        return
    csv_name, about = f"{folder.id}.metrics.csv", t("runs.recipe.metrics_help")
    offer(t("runs.recipe.metrics"), lambda: metrics_csv(found), csv_name, "text/csv", "metrics", about)
    kept = found.get("artifacts") or {}
    students: list[Mapping[str, Any]] = kept.get("students") or []
    best = verdict.best_student(found) if students and found.get("students") else None
    first = next((i for i, e in enumerate(students) if e.get("index", i) == best), None)
    if first is not None:
        _of_student(folder, students[first], first, "onnx")
    with st.expander(t("runs.recipe.all_files"), icon=":material/folder_zip:"):
        st.caption(t("runs.recipe.numbers"))
        _curves(folder)
        offer(
            t("runs.recipe.result"),
            lambda: json.dumps(found, ensure_ascii=False, indent=1),
            f"{folder.id}.result.json",
            "application/json",
            "result",
        )
        if students:
            st.caption(t("runs.recipe.students"))
        for i, entry in enumerate(students):
            for kind in ("weights", "onnx", *(["compact"] if "compact" in entry else [])):  # older runs: no packed one
                if (i, kind) != (first, "onnx"):
                    _of_student(folder, entry, i, kind)
        for entry in kept.get("alone") or ():
            for kind in ("onnx", *(["compact"] if "compact" in entry else [])):
                label = f"{t('runs.recipe.of_alone', name=entry['student'])}: {t(f'runs.recipe.{kind}')}"
                offer_kept(folder, entry.get(kind), label, f"{folder.id}.alone-{Path(entry.get(kind) or '').name}")
        if kept.get("plain"):
            st.caption(t("runs.recipe.plain"))
        for entry in kept.get("plain") or ():
            for kind in ("onnx", *(["compact"] if "compact" in entry else [])):
                file = entry.get(kind)  # `onnx_reason` where there is none
                label = t(f"runs.recipe.plain_{kind}", model=entry["title"])
                offer_kept(folder, file, label, f"{folder.id}.plain-{Path(file or '').name}")
        views = dict.fromkeys(name for entry in students for name in entry.get("view") or ())
        reading = [*([kept["model"]] if "model" in kept else []), *views]
        if reading:
            st.caption(t("runs.recipe.reading"))
        for name in reading:
            offer_kept(folder, name, t("runs.recipe.view", name=Path(name).name), f"{folder.id}.{Path(name).name}")


def _curves(folder: RunFolder) -> None:
    offer(t("runs.recipe.curves"), lambda: curves_csv(folder), f"{folder.id}.curves.csv", "text/csv", "curves")


def _of_student(folder: RunFolder, entry: Mapping[str, Any], place: int, kind: str) -> None:
    """Offer one file of a student's model."""
    name_of = "alone" if entry.get("arm") == "baseline" else "taught"
    label = f"{t(f'runs.recipe.of_{name_of}', name=entry['name'])}: {t(f'runs.recipe.{kind}')}"
    ending = "".join(Path(entry.get(kind) or "").suffixes)
    offer_kept(folder, entry.get(kind), label, f"{folder.id}.student-{entry.get('index', place)}{ending}")


def offer_kept(folder: RunFolder, name: str | None, label: str, file_name: str) -> None:
    """Draw the button of a file that the run keeps, or say that it is not there."""
    path = folder.path / str(name or "")
    if not name or not path.resolve().is_relative_to(folder.path.resolve()) or not path.is_file():
        st.caption(t("runs.recipe.missing", name=label))
        return
    offer(label, path.read_bytes, file_name, "application/octet-stream", name)


def offer(label: str, data: Any, file_name: str, mime: str, key: str, help: str | None = None) -> None:
    """Draw one download button that does not redraw the page."""
    st.download_button(
        label,
        data,
        file_name,
        mime,
        key=f"download-{key}",
        help=help,
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )


def metrics_csv(found: Mapping[str, Any]) -> str:
    """Write every metric of teacher, baselines and students, seed by seed; cells a spreadsheet would run are defused.

    `gain_low` and `gain_high` are the interval of a student alone, `deciding_low` and `deciding_high` the one its word is decided by.
    """
    names = ["run", "model", "student", "metric", "seed", "value", "gain_mean", "gain_low", "gain_high"]
    rows: list[list[Any]] = [[*names, "deciding_low", "deciding_high"]]
    run = found.get("run_id", "")
    for name, value in found["teacher"]["metrics"].items():
        rows.append([run, "teacher", found["teacher"]["name"], name, "", value, *NO_GAIN])
    for student in found["students"]:
        arms = {"baseline": student["baseline"], "placebo": student.get("placebo"), "student": student}
        for arm, block in ((a, b) for a, b in arms.items() if b):
            for name, spread in block["metrics"].items():
                told = _gain((student.get("gain") or {}).get(name) or {}) if arm == "student" else NO_GAIN
                for seed, value in zip(student["seeds"], spread["values"], strict=True):
                    rows.append([run, arm, student["name"], name, seed, value, *told])
    return write_csv(rows)


def _gain(gain: Mapping[str, Any]) -> list[Any]:
    """Lay out a gain with its own interval, and with that of all students together where there are several."""
    own = gain.get("ci95") or (None, None)
    both = gain.get("ci_family") or own
    return [gain.get("mean"), *own, *(own if both[0] is None else both)]


def curves_csv(folder: RunFolder) -> str:
    """Write every epoch of every training, nothing left out."""
    events = [e for e in folder.events() if e["kind"] == "epoch"]
    names = [
        "arm",
        "student",
        "seed",
        "fold",
        "epoch",
        "loss",
        "hard",
        "soft",
        "score",
        "learning_rate",
        "rows_per_s",
        "best",
        "t",
    ]
    return write_csv([names, *([e.get(n) for n in names] for e in events)])


def write_csv(rows: list[list[Any]]) -> str:
    """Write rows as CSV with safe cells."""
    out = io.StringIO()
    csv.writer(out).writerows([[export_cell(c) for c in row] for row in rows])
    return out.getvalue()
