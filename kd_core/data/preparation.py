"""From a dataset spec to a dataset: read, understand, split, encode."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from kd_core.data import targets
from kd_core.data.dataset import SPLITS, Dataset, Part, Split
from kd_core.data.encoding.text_columns import text_columns
from kd_core.data.files.reading import read_table
from kd_core.data.input_spec import COLUMNS, TABLE, TOGETHER
from kd_core.data.library import DataLibrary
from kd_core.data.profile import Understanding, understand_table
from kd_core.data.table import Profile
from kd_core.data.viewing import Columns
from kd_core.data.views import VIEWS, table
from kd_core.errors import DataError, raise_problems
from kd_core.safe_io import sha256_file, shown_name
from kd_core.specs import DatasetSpec, ReadSpec
from kd_core.task import task_of
from kd_core.workspace import workspace


def profile_source(source: str, read: ReadSpec | None = None, *, root: Path | None = None, **overrides: Any) -> Profile:
    """Read and understand 'sample:<name>', 'sha256:<hex>' or a path; `overrides` as in `profile_table`.

    Errors: DataError when the file can't be read; problems of its content are listed in the profile.
    """
    return _understand(source, read or ReadSpec(), root, "", **overrides).profile


def _understand(source: str, read: ReadSpec, root: Path | None, name: str, **overrides: Any) -> Understanding:
    path = DataLibrary(root or workspace()).resolve(source)
    table = read_table(path, read, name or None)
    return understand_table(table, decimal=read.decimal, **overrides)


_looked_at: dict[tuple[str, str], Understanding] = {}  # one at most: a large file is not read again to be prepared


def look_at(spec: DatasetSpec, root: Path | None = None) -> Profile:
    """Read and understand a dataset that is to be prepared next; what was looked at last is not read again. Errors: as in `profile_source`."""
    return understanding(spec, root).profile


def understanding(spec: DatasetSpec, root: Path | None = None) -> Understanding:
    """Read and understand as `look_at` does, and return all that it was made from. Errors: as in `profile_source`."""
    root = root or workspace()
    key = _key(spec, sha256_file(DataLibrary(root).resolve(spec.source)))
    found = _looked_at.get(key) or _understood(spec, root)
    _looked_at.clear()
    _looked_at[key] = found
    return found


def _key(spec: DatasetSpec, sha256: str) -> tuple[str, str]:
    return spec.model_copy(update={"sha256": None}).to_json(), sha256


def _understood(spec: DatasetSpec, root: Path) -> Understanding:
    return _understand(
        spec.source,
        spec.read,
        root,
        spec.name,
        target=spec.target,
        task=spec.task,
        positive=spec.positive,
        kinds=spec.kinds,
        drop=spec.drop,
        group=spec.group,
        time=spec.time,
        missing=spec.missing,
        rare=spec.rare,
        one_class=spec.one_class,
        answers=spec.answer_columns,
        shares=(spec.validation_share, spec.test_share),
        split_seed=spec.split_seed,
        copies=spec.copies,
        part=spec.part,
        more_targets=spec.more_targets,
    )


def prepare(spec: DatasetSpec, root: Path | None = None) -> Dataset:
    """Make a dataset: rows with a task, a fixed split and the ways in which they can be read.

    Encoded rows that take more than a share of the free memory are kept in files under `<root>/encoded` and mapped
    (a view's parts are then `np.memmap`s), with the same values.

    Errors: DataError naming all blocking problems; `changed_file` when the file is not the one of the spec.
    Example: `prepare(DatasetSpec(source="visits.csv", target="purchase"))`
    """
    root = root or workspace()
    path = DataLibrary(root).resolve(spec.source)
    sha256 = sha256_file(path)
    if spec.sha256 is not None and sha256 != spec.sha256:
        raise DataError(
            "{name} is not the file of this dataset any more (sha256 {found}…, expected {wanted}…).",
            "Restore the file, or make a new dataset from it.",
            "changed_file",
            name=shown_name(path.name),
            found=sha256[:12],
            wanted=spec.sha256[:12],
        )
    found = _looked_at.pop(_key(spec, sha256), None) or _understood(spec, root)
    raise_problems(list(found.profile.problems))
    return _assemble(spec, found, sha256, spec.name or shown_name(path.name), root / "encoded")


def _assemble(spec: DatasetSpec, found: Understanding, sha256: str, name: str, folder: Path) -> Dataset:
    profile, target, parts = found.profile, found.target, found.parts
    if target is None or parts is None or target.task is None:
        raise DataError("No column to predict is chosen.", "Choose a target.", "no_target")
    task = target.task
    groups = found.units
    y = target.values.astype(task_of(task).label_dtype)
    rows = {part: np.flatnonzero(parts == index) for index, part in enumerate(SPLITS)}
    types = {c.name: c.type for c in found.features}
    columns = Columns(profile.frame[list(types)], types, rows, y, groups, task, spec.split_seed)
    digest = _digest(spec, sha256, target, columns, found)
    made: dict[Split, Part] = {
        part: Part(y[at], at.astype(np.int64), None if groups is None else groups[at]) for part, at in rows.items()
    }
    mean, std = task_of(task).scale(made["train"].y)
    return Dataset(
        spec,
        name,
        digest,
        task,
        target.classes,
        tuple(types),
        made,
        columns.views(folder, digest),
        profile.frame,
        profile.problems,
        mean,
        std,
        found.settled,
        text_columns(types),
    )


def _digest(spec: DatasetSpec, sha256: str, target: targets.Target, columns: Columns, found: Understanding) -> str:
    """Hash what decides the encoded rows: the file's content, the spec without names and paths, the views.

    Where copies are kept together the rows differ from those of earlier versions, so the name does too.
    """
    what = spec.model_dump(mode="json", exclude={"source", "sha256", "name"})
    what |= {
        "drop": sorted(spec.drop),
        "task": columns.task,
        "positive": target.positive,
        "encoder": VIEWS.get(TABLE).facts["version"],
        "file": sha256,
    }
    if found.joined:
        what["copies"] = "together"
    if found.histories is not None:
        what["histories"] = found.histories
    if any(column.kind == "text" for column in columns.types.values()):
        what["text_encoder"] = table.TEXT_VERSION
    others = {kind: VIEWS.get(kind).facts["version"] for kind in columns.kinds() if kind != TABLE}
    for later in (COLUMNS, TOGETHER):
        if others.get(later) == 1:  # came later: rows and names of earlier versions stay what they were
            del others[later]
    if others:
        what["views"] = others
    return hashlib.sha256(json.dumps(what, sort_keys=True, allow_nan=False).encode()).hexdigest()
