"""Boosted trees from a file as a teacher, whichever library grew them."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.model_files.booster import NO_MISSING, Booster
from kd_core.data.onnx_file import open_session
from kd_core.errors import DataError, Problem, Says
from kd_core.machine.timing import measure_latency
from kd_core.models.tree_ensemble import IR, ML_OPSET, OPSET, Tree, float32_below, tree_node
from kd_core.task import task_of
from kd_core.teachers import foreign_files
from kd_core.teachers.base import Answered, Ask
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, logits_of, told
from kd_core.teachers.model_files.child import limited
from kd_core.teachers.model_files.class_names import class_order
from kd_core.teachers.model_files.columns import Reads, find_columns
from kd_core.teachers.model_files.spec import BoosterFileSpec

_ROWS = 65_536  # answered between two looks at a stop request
_READS = Says(
    "model_reads", "note", "The {noun} model has {trees:,} trees and reads {count} {count:column|columns}: {columns}."
)
_STOPPED_EARLY = Says("model_rounds", "note", "{said}")


@dataclass(frozen=True)
class Library:
    """Whose files they are: the words for it, the function that reads one in a child process, and its kind in `foreign_files`."""

    noun: str
    read: str
    kind: str


@dataclass(frozen=True)
class BoosterModel:
    """Checked trees that can be asked about rows: `Live`."""

    file: Path
    library: Library
    spec: BoosterFileSpec
    booster: Booster
    facts: Mapping[str, Any]
    reads: Reads
    dataset: Dataset
    order: Array | None
    notes: tuple[Problem, ...]

    def logits(self, rows: pd.DataFrame) -> Array:
        """Answer typed rows of the data. Shape: N rows -> (N, C) float32. Errors: DataError `model_words`."""
        codes = {int(place): values for place, values in self.facts["categories"].items()}
        sums = self.booster.answer(self.reads.numbers(rows, codes))
        if self.facts["kind"] == "odds":
            sums = np.concatenate([np.zeros_like(sums), self.facts["scale"] * sums], axis=1)
        return logits_of(sums if self.order is None else sums[:, self.order], self.dataset, "logits")[0]

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer rows from outside. Shape: N rows -> (N, C) float32 logits."""
        return self.logits(self.reads.typed(rows))

    def save(self, folder: Path) -> None:
        """Copy the file, with what was asked for."""
        shutil.copyfile(self.file, folder / "teacher.model")
        about = {"library": vars(self.library), "spec": json.loads(self.spec.to_json())}
        (folder / "teacher.json").write_text(json.dumps(about), "utf-8")

    @classmethod
    def load(cls, folder: Path, dataset: Dataset) -> BoosterModel:
        """Open what `save` wrote. Errors: DataError as `open_model`."""
        about = json.loads((folder / "teacher.json").read_text("utf-8"))
        return open_model(
            folder / "teacher.model", Library(**about["library"]), BoosterFileSpec.parse(about["spec"]), dataset
        )


def open_model(file: Path, library: Library, spec: BoosterFileSpec, dataset: Dataset) -> BoosterModel:
    """Read and check a file, and find its columns and classes in a dataset.

    Errors: DataError of the reading, `model_task`, `model_names`, `model_columns`, `model_classes`.
    """
    with tempfile.TemporaryDirectory(prefix="kd-trees-") as folder:
        arrays = Path(folder) / "trees.npz"
        facts = limited(library.noun, library.read, str(file.resolve()), str(arrays))
        booster = Booster.load(arrays)
    outputs = 2 if facts["kind"] == "odds" else len(booster.base)
    if task_of(dataset.task).has_classes is (facts["kind"] == "number"):
        raise DataError(
            "The model predicts {found}, the data's target is {wanted}.",
            "Take a model for this target.",
            "model_task",
            found="a number" if facts["kind"] == "number" else f"{outputs} classes",
            wanted=f"{len(dataset.classes)} classes" if dataset.classes else "a number",
        )
    names = spec.columns or tuple(facts["names"])
    if len(names) != facts["features"]:
        raise DataError(
            "The model reads {features} columns and {known}.",
            "Name the columns of the data in the order of its features (columns).",
            "model_names",
            features=facts["features"],
            known=f"{len(names)} are named" if names else "its file does not say which",
        )
    columns = find_columns(names, dataset)
    reads = _READS.problem(
        noun=library.noun,
        trees=facts["trees"],
        count=len(columns),
        columns=", ".join(columns[:20]) + (f" and {len(columns) - 20} more" if len(columns) > 20 else ""),
    )
    notes, order = [reads, *(_STOPPED_EARLY.problem(said=said) for said in facts["said"])], None
    if task_of(dataset.task).has_classes:
        order, how = class_order(None, outputs, dataset, spec.classes)
        notes.append(how)
    return BoosterModel(file, library, spec, booster, facts, Reads.of(dataset, columns), dataset, order, tuple(notes))


def missing(spec: BoosterFileSpec) -> DataError | None:
    """Say that no file is chosen yet."""
    return None if spec.path else DataError("No file of a model is chosen.", "Upload one (path).", "no_file")


def answer(library: Library, spec: BoosterFileSpec, ask: Ask) -> Answered:
    """Ask the file about every row of the dataset. Errors: DataError, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := missing(spec):
        raise error
    start, dataset = time.perf_counter(), ask.dataset
    file = foreign_files.check(spec.path, (library.kind,))
    model = open_model(file, library, spec, dataset)
    logits = {}
    for split in SPLITS:
        rows, found = dataset.rows.iloc[dataset.parts[split].row_ids], []
        for at in range(0, len(rows), _ROWS):
            stop_if_asked(ask.should_stop)
            found.append(model.logits(rows.iloc[at : at + _ROWS]))
        logits[split] = np.concatenate(found)
    return Answered(
        logits,
        model.facts["parameters"],
        file.stat().st_size,
        latency(model),
        time.perf_counter() - start,
        details={"trees": model.facts["trees"]},
        notes=tuple(told(problem) for problem in (*model.notes, MAYBE_SEEN.problem())),
        live=model,
    )


def latency(model: BoosterModel) -> dict[str, Any]:
    """Time the trees as one ONNX operation on validation rows. Units: milliseconds, one thread."""
    if model.booster.by_category:
        return {"onnxruntime": {"reason": "trees that split by categories can't be written as one ONNX operation"}}
    if (model.booster.missing != 0).any() and (model.booster.missing != NO_MISSING).any():
        return {"onnxruntime": {"reason": "trees to which 0 is a missing value can't be written as one ONNX operation"}}
    rows = model.dataset.rows.iloc[model.dataset.validation.row_ids[:1024]]
    with np.errstate(over="ignore"):
        x = model.reads.numbers(rows).astype(np.float32)
    session = open_session(as_onnx(model.booster, x.shape[1]))
    return {
        "onnxruntime": measure_latency(lambda part: session.run(None, {"x": part}), lambda n: x[np.arange(n) % len(x)])
    }


def as_onnx(booster: Booster, features: int) -> bytes:
    """Draw trees by threshold as one operation. Shape: `x` (N, F) float32 -> `sums` (N, K)."""
    from onnx import TensorProto, helper

    columns: list[list[Tree]] = [[] for _ in booster.base]
    for root, output in zip(booster.root.tolist(), booster.output.tolist(), strict=True):
        columns[output].append(_tree(booster, root))
    node = tree_node(columns, len(columns), "x", "sums")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", features])
    sums = helper.make_tensor_value_info("sums", TensorProto.FLOAT, ["rows", len(columns)])
    graph = helper.make_graph([node], "trees", [x], [sums])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    written: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=IR).SerializeToString()
    return written


def _tree(booster: Booster, root: int) -> Tree:
    """Take one tree out, its splits and leaves numbered in the order in which they are met."""
    splits, leaves = [root] if root >= 0 else [], [] if root >= 0 else [~root]
    new_split, new_leaf = {root: 0}, {~root: 0}
    for split in splits:  # grows while it is read
        for child in (int(booster.left[split]), int(booster.right[split])):
            if child >= 0:
                new_split[child] = len(splits)
                splits.append(child)
            else:
                new_leaf[~child] = len(leaves)
                leaves.append(~child)
    at = np.array(splits, dtype=np.int64)

    def renamed(children: Array) -> Array:
        return np.array([new_split[c] if c >= 0 else ~new_leaf[~c] for c in children[at].tolist()], dtype=np.int64)

    nothing_missing = booster.missing[at] == NO_MISSING  # NaN is read as 0 there
    missing_left = np.where(nothing_missing, booster.threshold[at] >= 0, booster.default_left[at])
    return Tree(
        booster.feature[at],
        float32_below(booster.threshold[at]),
        missing_left,
        renamed(booster.left),
        renamed(booster.right),
        booster.value[np.array(leaves, dtype=np.int64)],
    )
