"""The finished trainings of a run on disk, from which a resumed run goes on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.distill import shares
from kd_core.distill.inner.hints import HIDDEN
from kd_core.distill.meeting import MEMBER, NETWORK
from kd_core.distill.placebo import PLACEBO
from kd_core.distill.sweep.variants import MADE, TEACHER, Lessons, TrainedVariant, Variant, digest, digest_of, tables
from kd_core.distill.terms import hears_live
from kd_core.models.building import build_for, deployed_state, viewed
from kd_core.runs.cells import grid, modes
from kd_core.runs.cells.grid import GridTraining
from kd_core.safe_io import sha256_file, write_bytes, write_json
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.answer_cache.cache import CODE, code_version
from kd_core.training.predict import predict

Notify = Callable[[dict[str, Any]], None]
Starts = Callable[[GridTraining], Mapping[str, Tensor]]  # the weights that a training goes on from
MOST_TOLD = 3  # damaged trainings named one by one


@dataclass(frozen=True)
class VariantRecord:
    """How one training went. Scores are the selection metric on validation, None where it never got that far.

    `shares`: how much labels and teacher moved it (`distill.shares.told`), where that was measured. `helpers`: what learned for its sake.
    `diverged` says why it has no usable end; `stopped` marks the best so far when a person asked to stop.
    """

    training: int
    arm: str
    student: str
    seed: int
    selected_epoch: int
    last_epoch: int
    score_selected: float | None
    score_last: float | None
    seconds: float
    stopped: bool
    diverged: str | None
    precision: str | None
    shares: dict[str, Any] = field(default_factory=dict)
    helpers: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON; what learned for its sake only where something did."""
        return {name: value for name, value in asdict(self).items() if name != "helpers" or value}


@dataclass
class Training:
    """A training that has ended with its network at the selected epoch. What it answers is computed once."""

    record: VariantRecord
    module: torch.nn.Module
    arch: Choice
    _logits: dict[Split, Array] = field(default_factory=dict, repr=False)

    def logits(self, dataset: Dataset, split: Split, device: torch.device) -> Array:
        """(N, C) logits for one part."""
        if split not in self._logits:
            self._logits[split] = predict(self.module, viewed(dataset, self.arch).parts[split], device)
        return self._logits[split]


@dataclass(frozen=True)
class Finished:
    """A training that has ended, its weights in memory or on disk."""

    record: VariantRecord
    variant: Variant
    kept: dict[str, Tensor] | Path | None

    @property
    def usable(self) -> bool:
        """Say whether there is a network with a score to compare."""
        return self.kept is not None and self.record.diverged is None and self.record.score_selected is not None

    def module(self, dataset: Dataset, device: torch.device) -> torch.nn.Module:
        """Build the network at its selected epoch."""
        assert self.kept is not None
        made = build_for(dataset, self.variant.student.arch)
        made.load_state_dict(safetensors.torch.load_file(str(self.kept)) if isinstance(self.kept, Path) else self.kept)
        return made.to(device).eval()

    def logits(self, dataset: Dataset, split: Split, rows: Array, device: torch.device) -> Array:
        """Answer some rows of a part. Shape: (R, C)."""
        return predict(
            self.module(dataset, device), viewed(dataset, self.variant.student.arch).parts[split][rows], device
        )

    def training(self, dataset: Dataset, device: torch.device) -> Training:
        """Return it with its network, to be judged."""
        return Training(self.record, self.module(dataset, device), self.variant.student.arch)


class VariantStore:
    """Keeps every finished training under a name that hashes all that decides it."""

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset,
        folder: Path,
        lessons: Lessons,
        metric: str,
        device: torch.device,
        starts: Starts | None = None,
    ) -> None:
        self.starts = starts
        self.spec, self.dataset, self.folder, self.metric, self.device = spec, dataset, folder, metric, device
        self._lessons = {name: digest(table) for name, table in tables(lessons).items()}
        self._code = code_of_trainings()

    @property
    def basis(self) -> list[Any]:
        """Name what decides all of the trainings alike: data, lessons, metric, device and code."""
        return [self.dataset.hash, self._lessons, self.metric, self.device.type, self._code]

    def variant(self, training: GridTraining) -> Variant:
        """Say what a training of the grid is to the engine."""
        cell = training.like
        objective = None if training.arm == "baseline" else grid.objective_of(self.spec, cell)
        return Variant(
            grid.student_of(self.spec, cell),
            objective,
            training.seed,
            cell.learning_rate,
            cell.weight_decay,
            PLACEBO if training.arm == "placebo" else TEACHER,
            cell.made_rows if training.arm == "student" else 0,  # without a teacher nobody labels them
            self.spec.mode if training.arm == "student" and modes.apart(self.spec) else None,
        )

    def load(
        self, wanted: Sequence[GridTraining], notify: Notify, later: Sequence[GridTraining] = ()
    ) -> dict[int, Finished]:
        """Take what an earlier attempt finished; say what is damaged or no longer fits and is trained again.

        `later` may be asked for after this: what is kept of it stays where it is.
        """
        found: dict[int, Finished] = {}
        damaged: list[str] = []
        names = {self._stem(t).name: t for t in wanted}
        held = {*names, *(self._stem(t).name for t in later)}
        others = [p for p in self.folder.glob("*.json") if p.stem not in held]
        for name, training in names.items():
            if (self.folder / f"{name}.json").exists():
                try:
                    found[training.position] = self._read(self.folder / name, training)
                except (ValueError, KeyError, TypeError, AttributeError, OSError):
                    damaged.append(name)
        if others:
            notify(trained_again(len(others), "other data, other teacher answers or another version of the code"))
            for stale in others:  # or the next attempt would say so again
                stale.with_suffix(".safetensors").unlink(missing_ok=True)
                stale.unlink()
        for name in damaged[:MOST_TOLD]:
            more = (
                f" (and {len(damaged) - MOST_TOLD} more)"
                if len(damaged) > MOST_TOLD and name == damaged[MOST_TOLD - 1]
                else ""
            )
            notify(
                {
                    "kind": "warning",
                    "code": "damaged_training",
                    "message": f"The finished training {name} is damaged{more}.",
                    "hint": "It is trained again.",
                }
            )
        return found

    def take(self, training: GridTraining, trained: TrainedVariant, precision: str | None) -> Finished:
        """Keep a training that has ended; one that was stopped stays in memory, since a resumed run finishes it."""
        record = VariantRecord(
            training.position,
            training.arm,
            trained.variant.student.name,
            training.seed,
            trained.selected_epoch,
            trained.last_epoch,
            finite(trained.score_selected),
            finite(trained.score_last),
            round(trained.seconds, 3),
            trained.stopped,
            trained.diverged,
            precision,
            shares.told(trained.history, trained.selected_epoch),
            trained.helpers,
        )
        state = deployed_state(self.dataset, trained.variant.student.arch, trained.state)
        if trained.stopped:
            return Finished(record, trained.variant, state or None)
        stem, digest = self._stem(training), None
        if state:
            weights = stem.with_suffix(".safetensors")
            write_bytes(weights, safetensors.torch.save(state))
            digest = sha256_file(weights)
        write_json(stem.with_suffix(".json"), {**record.told(), "sha256": digest})
        return Finished(record, trained.variant, stem.with_suffix(".safetensors") if digest else None)

    def _read(self, stem: Path, training: GridTraining) -> Finished:
        values = json.loads(stem.with_suffix(".json").read_text("utf-8"))
        digest, weights = values.pop("sha256"), stem.with_suffix(".safetensors")
        if digest is not None and digest != sha256_file(weights):
            raise ValueError("changed bytes")
        record = VariantRecord(**{**values, "training": training.position})
        return Finished(record, self.variant(training), weights if digest is not None else None)

    def _stem(self, training: GridTraining) -> Path:
        """Name a training by all that decides it, so that a resumed run never mixes data, lessons or code."""
        variant = self.variant(training)
        decides: list[Any] = [
            self.dataset.hash,
            variant.student.arch.to_json(),
            self.spec.training.to_json(),
            self.metric,
            variant.seed,
            variant.learning_rate,
            variant.weight_decay,
            self.device.type,
            self._code,
        ]
        if variant.objective is not None:
            decides += [variant.objective.to_json(), self._lessons[variant.lesson]]
            decides += [found for name, found in self._lessons.items() if name.startswith(HIDDEN)]
            decides += [variant.made_rows, self._lessons[MADE]] if variant.made_rows else []
            decides += [variant.mode.to_json(), self.spec.teacher.to_json()] if variant.mode else []
            network = variant.mode is not None or hears_live(variant.objective)
            decides += [found for n, found in self._lessons.items() if n.startswith(NETWORK)] if network else []
            decides += [found for n, found in self._lessons.items() if n.startswith(MEMBER)] if variant.mode else []
        decides += [digest_of(self.starts(training))] if self.starts else []
        key = hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]
        return self.folder / f"{training.like.student}-{training.arm}-{training.seed}-{key}"


def code_of_trainings() -> str:
    """Hash the code that decides what a training comes to."""
    return code_version((*CODE, "distill"))


def trained_again(number: int, belongs_to: str) -> dict[str, Any]:
    """Say that trainings of an earlier attempt are of no use here."""
    return {
        "kind": "warning",
        "code": "trained_again",
        "message": f"{number} training{'s' if number != 1 else ''} of an earlier attempt belong to {belongs_to}.",
        "hint": "They are trained again, so that both sides of the comparison are made alike.",
    }


def finite(value: float | None) -> float | None:
    """Return a number that JSON can hold, or None."""
    return value if value is not None and math.isfinite(value) else None
