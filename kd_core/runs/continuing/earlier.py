"""The run that is gone on from: its recipe, its data as they were, and the weights of every seed, taught and alone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from kd_core.data.dataset import Dataset
from kd_core.data.preparation import prepare, understanding
from kd_core.data.profile import Understanding
from kd_core.errors import DataError, KDError, SpecError
from kd_core.models import by_rounds
from kd_core.runs.cells.grid import Arm
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from kd_core.safe_io import Damaged, read_object, sha256_file
from kd_core.specs import CompressSpec, ContinueSpec, RunSpec
from kd_core.task import task_of
from kd_core.teachers.base import without_own_columns
from kd_core.teachers.kept_models import NAME
from kd_core.workspace import workspace

Key = tuple[Arm, str, int]  # arm, name of the student, seed


@dataclass(frozen=True)
class Earlier:
    """A finished run that can be gone on from. `files`: the weights of both arms by student and seed, with their sha256."""

    folder: RunFolder
    spec: RunSpec
    result: Mapping[str, Any]
    files: Mapping[Key, tuple[Path, str]]

    @property
    def students(self) -> list[str]:
        """Name the students that were judged."""
        return [str(one["name"]) for one in self.result["students"]]

    @property
    def seeds(self) -> list[int]:
        """Return the first seeds that every student was trained with, on both sides."""
        found = []
        for seed in range(self.spec.training.first_seed, self.spec.training.first_seed + len(self.files)):
            if not all((arm, name, seed) in self.files for name in self.students for arm in ("student", "baseline")):
                break
            found.append(seed)
        return found

    def digest(self) -> str:
        """Name the weights by their content (sha256, hex)."""
        told = sorted([*key, sha] for key, (_, sha) in self.files.items() if key[1] in self.students)
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def state(self, arm: Arm, student: str, seed: int) -> dict[str, Tensor]:
        """Read the weights of one training; a placebo goes on from the taught student. Errors: KDError `run_damaged`."""
        path, sha = self.files["student" if arm == "placebo" else arm, student, seed]
        try:
            if sha256_file(path) != sha:
                raise ValueError("has changed since the run ended")
            return dict(safetensors.torch.load_file(str(path)))
        except (OSError, ValueError, safetensors.SafetensorError) as error:
            raise self.folder.damaged(path.name, Damaged(str(error)[:200])) from None

    def data(self) -> tuple[Dataset, Understanding]:
        """Read the run's rows as it did, with what was understood of them. Errors: DataError `old_rows_gone`, `old_rows_other`."""
        spec = without_own_columns(self.spec.dataset, self.spec.teacher)
        try:
            found = understanding(spec)
            dataset = prepare(spec)
        except DataError as error:
            raise DataError(
                "The rows that run {run} learned from are not at hand: {why}",
                "Put the file back where it was: {source}. What was forgotten can't be measured without them.",
                "old_rows_gone",
                run=self.folder.id,
                why=error.message,
                source=spec.source,
            ) from None
        if dataset.hash != self.result["dataset"]["hash"]:
            raise DataError(
                "The rows of run {run} are read differently now than when it was made: another version of the app made it.",
                "Run it again (open it and press Clone), and go on from that run.",
                "old_rows_other",
                run=self.folder.id,
            )
        return dataset, found


def find(run: str) -> RunFolder:
    """Find a run by its id in this workspace, or by the path of its folder. Errors: KDError `no_run`."""
    path = Path(run).expanduser()
    if not re.fullmatch(NAME, run) or (path / "spec.json").is_file():
        if not (path / "spec.json").is_file():
            raise DataError("There is no run {run!r}.", "Give a run's id, or its folder.", "no_run", run=run[:200])
        return RunFolder(path.resolve())
    return RunStore(workspace()).folder(run)


def open_run(run: str) -> Earlier:
    """Open a run to go on from. Errors: KDError `no_run`, `run_damaged`; SpecError `continue_unfinished`, `continue_cells`, `continue_compressed`, `continue_weights`."""
    folder = find(run)
    result = folder.result()
    if result is None or not folder.complete:
        raise SpecError(
            "Run {run} has not ended, so that there is nothing to go on from.",
            "Resume it, or take a finished run.",
            "continue_unfinished",
            run=folder.id,
        )
    spec = folder.spec()
    if spec.sweep is not None:
        raise SpecError(
            "Run {run} is a what-if: it has many cells, and which of them to go on from is not said.",
            "Make an ordinary run of its best cell, and go on from that.",
            "continue_cells",
            run=folder.id,
        )
    if spec.compress is not None:
        raise SpecError(
            "Run {run} made a student of run {first} smaller; what it was learned by stands there.",
            "Start from run {first}: steps that follow each other are one chain.",
            "continue_compressed",
            run=folder.id,
            first=spec.compress.run,
        )
    found = Earlier(folder, spec, result, _files(folder))
    if not found.seeds:
        raise SpecError(
            "Run {run} does not keep the weights of its trainings with and without the teacher ({place}), from which both go on.",
            "Take the whole folder of the run, or run it again: open it and press Clone.",
            "continue_weights",
            run=folder.id,
            place=folder.checkpoints.name,
        )
    return found


def opened(asked: ContinueSpec | CompressSpec) -> Earlier:
    """Open the run that a recipe names. Errors: as `open_run`; SpecError `continue_other`."""
    found = open_run(asked.run)
    if asked.weights not in (None, found.digest()):
        raise SpecError(
            "Run {run} holds other weights than those that this recipe starts from.",
            "Ask for it again, by the run as it is now.",
            "continue_other",
            run=found.folder.id,
        )
    return found


def why_not(earlier: Earlier) -> KDError | None:
    """Say why a run's students can't learn on, None where they can."""
    if task_of(str(earlier.result["task"])).each_alone:
        return SpecError(
            "Students of several labels a row can't learn on from new rows: what they forget is measured by one answer a row.",
            "Run it again on old and new rows together.",
            "continue_labels",
        )
    for student in earlier.spec.students:
        if student.name in earlier.students and by_rounds(student.arch.name):
            return SpecError(
                "The student '{name}' is made of trees, which are grown once: it can't learn on from where it stands.",
                "Run it again on old and new rows together, or go on from a run with a network.",
                "continue_trees",
                name=student.name,
            )
    return None


def _files(folder: RunFolder) -> dict[Key, tuple[Path, str]]:
    """Find the finished trainings that a run left, those of further splits aside."""
    found: dict[Key, tuple[Path, str]] = {}
    for path in sorted(folder.checkpoints.rglob("trained/*.json")):
        if any(part.startswith("split-") for part in path.relative_to(folder.checkpoints).parts):
            continue
        try:
            told = read_object(path)
            key: Key = (told["arm"], str(told["student"]), int(told["seed"]))
            weights, sha = path.with_suffix(".safetensors"), told["sha256"]
        except (OSError, KeyError, TypeError, ValueError, Damaged):
            continue
        if isinstance(sha, str) and told.get("diverged") is None and weights.is_file():
            found[key] = weights, sha
    return found
