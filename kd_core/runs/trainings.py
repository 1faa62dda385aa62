"""The trainings of one run: each is done once, kept on disk, and taken from there after a crash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.distill.student import train_student
from kd_core.models.building import build, cpu_state
from kd_core.safe_io import sha256_file, write_bytes, write_json
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.cache import CODE, code_version
from kd_core.training.predict import predict

Arm = Literal["baseline", "student"]
Notify = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Record:
    """How one training went; both scores are the selection metric on validation."""

    arm: Arm
    student: str
    seed: int
    selected_epoch: int
    last_epoch: int
    score_selected: float
    score_last: float
    seconds: float
    stopped: bool


@dataclass
class Training:
    """A finished training: its record and the network at the selected epoch."""

    record: Record
    module: torch.nn.Module

    def logits(self, dataset: Dataset, split: Split, device: torch.device) -> Array:
        """(N, C) logits for one part."""
        return predict(self.module, dataset.parts[split].x, device)


@dataclass
class Arms:
    """The trainings of one student, seed by seed; both lists are paired by position."""

    seeds: list[int] = field(default_factory=list)
    baseline: list[Training] = field(default_factory=list)
    student: list[Training] = field(default_factory=list)


class Trainings:
    """Trains every (student, arm, seed) of a spec, or loads what an earlier attempt finished."""

    def __init__(self, spec: RunSpec, dataset: Dataset, folder: Path, metric: str, device: torch.device) -> None:
        self.spec, self.dataset, self.folder, self.metric, self.device = spec, dataset, folder, metric, device
        self.total = 2 * len(spec.students) * spec.training.seeds
        self.done = 0
        self._lesson: tuple[Array | None, str] = (None, "")
        self._told = False

    def get(
        self,
        index: int,
        arm: Arm,
        seed: int,
        teacher_logits: Array | None,
        notify: Notify,
        should_stop: Callable[[], bool],
    ) -> Training:
        """Return one training, from disk when it was finished before; a stopped one is kept in memory only."""
        student = self.spec.students[index]
        stem = self.folder / f"{index}-{arm}-{seed}-{self._key(index, arm, seed, teacher_logits)}"
        found = self._load(stem, student.arch, notify)
        if found is None:
            self._tell_others(stem, notify)
            objective = self.spec.objective if arm == "student" else None
            result = train_student(
                self.dataset, student, objective, teacher_logits if arm == "student" else None, self.spec.training,
                seed, notify=lambda e: notify({**e, "arm": arm, "student": student.name, "seed": seed, "fold": None}),
                should_stop=should_stop, checkpoint=stem.with_suffix(".ckpt"), device=self.device,
                selection_metric=self.metric,
            )  # fmt: skip
            t = result.trained
            record = Record(
                arm, student.name, seed, t.selected_epoch, t.last_epoch, t.score_selected,
                t.score_last, t.seconds, t.stopped,
            )  # fmt: skip
            found = Training(record, result.module)
            if not t.stopped:
                self._keep(stem, found)
        self.done += 1
        kept = {k: v for k, v in asdict(found.record).items() if k != "stopped"}
        notify({"kind": "trained", **kept, "fold": None, "done": self.done, "of": self.total})
        return found

    def _key(self, index: int, arm: Arm, seed: int, teacher_logits: Array | None) -> str:
        """Hash all that decides a training, so that a resumed run never mixes data, lessons or versions of the code."""
        decides = [
            self.dataset.hash, self.spec.students[index].arch.to_json(), self.spec.training.to_json(), self.metric, seed,
            self.device.type, code_version((*CODE, "distill")),
        ]  # fmt: skip
        if arm == "student" and teacher_logits is not None:
            if self._lesson[0] is not teacher_logits:
                self._lesson = teacher_logits, hashlib.sha256(teacher_logits.tobytes()).hexdigest()
            decides += [self.spec.objective.to_json(), self._lesson[1]]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]

    def _tell_others(self, stem: Path, notify: Notify) -> None:
        """Say once that an earlier attempt's trainings are of no use here."""
        alike = stem.name.rsplit("-", 1)[0]
        if self._told or not any(p.stem != stem.name for p in self.folder.glob(f"{alike}-*")):
            return
        self._told = True
        notify({
            "kind": "warning", "code": "trained_again",
            "message": "What an earlier attempt trained belongs to other data, other teacher answers or another version of the code.",
            "hint": "It is trained again, so that both sides of the comparison are made alike.",
        })  # fmt: skip

    def _keep(self, stem: Path, training: Training) -> None:
        weights = stem.with_suffix(".safetensors")
        write_bytes(weights, safetensors.torch.save(cpu_state(training.module)))
        write_json(stem.with_suffix(".json"), {**asdict(training.record), "sha256": sha256_file(weights)})

    def _load(self, stem: Path, arch: Choice, notify: Notify) -> Training | None:
        """Take a finished training from disk; one whose bytes changed is trained again, with a warning."""
        weights, record_file = stem.with_suffix(".safetensors"), stem.with_suffix(".json")
        if not record_file.exists() or not weights.exists():
            return None
        try:
            record = json.loads(record_file.read_text("utf-8"))
            if record.pop("sha256") != sha256_file(weights):
                raise ValueError("changed bytes")
            kept = Record(**record)
        except (ValueError, KeyError, TypeError, AttributeError):
            notify({
                "kind": "warning", "code": "damaged_training", "message": f"The finished training {stem.name} is damaged.",
                "hint": "It is trained again.",
            })  # fmt: skip
            return None
        module = build(arch, self.dataset.num_features, self.dataset.num_outputs)
        module.load_state_dict(safetensors.torch.load_file(str(weights)))
        return Training(kept, module.to(self.device).eval())
