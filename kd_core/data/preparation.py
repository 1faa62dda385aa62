"""From a dataset spec to a dataset: read, understand, split, encode."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data import encoded, encoders, targets
from kd_core.data.dataset import SPLITS, Array, Dataset, Part, Split
from kd_core.data.encoders import Encoder
from kd_core.data.library import DataLibrary
from kd_core.data.profile import Understanding, understand_table
from kd_core.data.reading import read_table
from kd_core.data.table import Profile
from kd_core.errors import DataError, Problem, raise_problems
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


def prepare(spec: DatasetSpec, root: Path | None = None) -> Dataset:
    """Make a dataset: rows with a task, a fixed split and encoded features.

    Encoded rows that take more than a share of the free memory are kept in files under `<root>/encoded` and mapped
    (`Part.x` is then an `np.memmap`), with the same values.

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
    found = _understand(
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
        shares=(spec.validation_share, spec.test_share),
        split_seed=spec.split_seed,
        copies=spec.copies,
    )
    raise_problems(list(found.profile.problems))
    return _assemble(spec, found, sha256, spec.name or shown_name(path.name), root / "encoded")


def _assemble(spec: DatasetSpec, found: Understanding, sha256: str, name: str, folder: Path) -> Dataset:
    profile, target, parts = found.profile, found.target, found.parts
    if target is None or parts is None or target.task is None:
        raise DataError("No column to predict is chosen.", "Choose a target.", "no_target")
    task = target.task
    groups = found.units
    encoder = Encoder({c.name: c.type for c in found.features}, task, spec.split_seed)
    frame = profile.frame[[c.name for c in found.features]]
    y = target.values.astype(task_of(task).label_dtype)
    rows = {part: np.flatnonzero(parts == index) for index, part in enumerate(SPLITS)}
    digest = _digest(spec, sha256, task, target, encoder, found.joined)
    x, problems = _encode(encoder, frame, rows, y, groups, folder, digest)
    made: dict[Split, Part] = {
        part: Part(x[part], y[at], at.astype(np.int64), None if groups is None else groups[at])
        for part, at in rows.items()
    }
    mean, std = task_of(task).scale(made["train"].y)
    return Dataset(
        spec,
        name,
        digest,
        task,
        target.classes,
        encoder.feature_names,
        made,
        profile.frame,
        (*profile.problems, *problems),
        mean,
        std,
        encoder,
    )


def _encode(
    encoder: Encoder,
    frame: pd.DataFrame,
    rows: dict[Split, Array],
    y: Array,
    groups: Array | None,
    folder: Path,
    digest: str,
) -> tuple[dict[Split, Array], list[Problem]]:
    """Encode every part: in memory, or in files when it takes more than its share of the free memory."""
    train = rows["train"]
    own = encoder.fit(frame.iloc[train], y[train], None if groups is None else groups[train])
    size, budget = 4 * len(encoder.feature_names) * sum(map(len, rows.values())), encoded.memory_budget()

    def encode(part: Split, some: slice) -> Array:
        known = {name: x[some] for name, x in own.items()} if part == "train" else None
        return encoder.transform(frame.iloc[rows[part][some]], known)

    if size <= budget:
        return {part: encode(part, slice(None)) for part in SPLITS}, []
    found, problems = encoded.EncodedFolder(folder).parts(
        digest,
        {part: len(at) for part, at in rows.items()},
        encoder.feature_names,
        {part: functools.partial(encode, part) for part in SPLITS},
    )
    said = Problem(
        "note",
        "encoded_on_disk",
        f"The encoded rows take {size / 1e9:.3g} GB, {budget / 1e9:.3g} GB of memory are meant for them: "
        "they are kept in a file.",
        "Results are the same.",
    )
    return {part: found[part] for part in SPLITS}, [said, *problems]


def _digest(spec: DatasetSpec, sha256: str, task: str, target: targets.Target, encoder: Encoder, joined: bool) -> str:
    """Hash what decides the encoded rows: the file's content, the spec without names and paths, the encoder.

    Where copies are kept together the rows differ from those of earlier versions, so the name does too.
    """
    what = spec.model_dump(mode="json", exclude={"source", "sha256", "name"})
    what |= {
        "drop": sorted(spec.drop),
        "task": task,
        "positive": target.positive,
        "encoder": encoders.VERSION,
        "file": sha256,
    }
    if joined:
        what["copies"] = "together"
    if any(column.kind == "text" for column in encoder.types.values()):
        what["text_encoder"] = encoders.TEXT_VERSION
    return hashlib.sha256(json.dumps(what, sort_keys=True, allow_nan=False).encode()).hexdigest()
