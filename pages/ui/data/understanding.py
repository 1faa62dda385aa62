"""What a file holds, kept by content hash: a change on the page costs only what it changes.

`st.cache_resource` hands out the same object without copying (a frame of a million rows is not copied at each
click); the objects are never changed. Any viewer may clear it: it then fills again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core import safe_io
from kd_core.data.encoding.text_columns import count_texts
from kd_core.data.files.reading import read_table
from kd_core.data.profile import profile_table
from kd_core.data.table import Profile, Table
from kd_core.data.types.part_column import count_parts
from kd_core.specs import DatasetSpec, ReadSpec
from kd_core.task import task_of
from pages.ui.shared import engine
from pages.ui.shared import facts as facts_file
from pages.ui.shared.facts import Facts


@st.cache_resource(max_entries=64, show_spinner=False)
def _hash(path: str, stamp: tuple[int, int]) -> str:
    return safe_io.sha256_file(Path(path))


def content_hash(source: str) -> str:
    """Hash of the file's bytes (sha256, hex). Errors: DataError when there is no such file."""
    kind, _, rest = source.partition(":")
    if kind == "sha256":
        return rest
    path = engine.library().resolve(source)
    stat = path.stat()
    return _hash(str(path), (stat.st_mtime_ns, stat.st_size))


@st.cache_resource(max_entries=3, show_spinner=False)
def _table(sha256: str, read_json: str, name: str, _path: Path) -> Table:
    return read_table(_path, ReadSpec.from_json(read_json), name)


def table(source: str, read: ReadSpec, name: str) -> Table:
    """Read a source. Errors: DataError."""
    return _table(content_hash(source), read.to_json(), name, engine.library().resolve(source))


@st.cache_resource(max_entries=6, show_spinner=False)
def _profile(sha256: str, choices_json: str, _table: Table) -> Profile:
    return profile_table(_table, **json.loads(choices_json))


def profile(spec: dict[str, Any], read: ReadSpec, name: str) -> Profile:
    """Understand a source under the choices of a dataset spec (as plain values). Errors: DataError."""
    found = table(spec["source"], read, name)
    names = (
        "target",
        "task",
        "positive",
        "kinds",
        "drop",
        "group",
        "time",
        "copies",
        "missing",
        "rare",
        "one_class",
        "part",
        "more_targets",
    )
    choices = {n: spec[n] for n in names if spec.get(n)}
    if spec.get("answer_columns"):
        choices["answers"] = spec["answer_columns"]
    if read.decimal:
        choices["decimal"] = read.decimal
    key = json.dumps([read.to_json(), name, choices], sort_keys=True)
    return _profile(f"{content_hash(spec['source'])}|{key}", json.dumps(choices, sort_keys=True), found)


def stamp(spec: dict[str, Any], read: ReadSpec) -> str:
    """Return what is the same for the same file read the same way: for what is kept beside its profile. Errors: DataError."""
    kept = json.dumps([read.to_json(), spec.get("kinds"), spec.get("drop"), spec.get("group")], sort_keys=True)
    return f"{content_hash(spec['source'])}|{kept}"


def facts_of(found: Profile, part: str | None) -> Facts:
    """Count what later pages need; `part` is the column that gives the split."""
    from kd_core.data.views import foreseen
    from kd_core.data.views.table import count_name_bytes

    outputs = task_of(found.task).num_outputs(len(found.classes)) if found.task else len(found.classes)
    names = tuple(c.name for c in found.columns)
    task, parts = str(found.task), found.split or (count_parts(found.frame[part]) if part in names else ())
    read = tuple(c.name for c in found.columns if c.used and c.name != found.target)
    known = found.num_rows, len(names), foreseen(found), outputs, found.classes, task, names, parts
    return Facts(*known, read, count_texts(found), count_name_bytes(found))


def facts(dataset_id: str, spec: DatasetSpec) -> Facts:
    """Return a dataset's facts, reading the file when nobody has yet. Errors: DataError."""
    found = facts_file.kept(dataset_id)
    if found is None:
        found = facts_of(profile(spec.model_dump(mode="json"), spec.read, spec.name), spec.part)
        facts_file.keep(dataset_id, found)
    return found
