"""What passes between a sweep and its child processes: arrays as .npy files, the rest as JSON and safetensors."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.torch

from kd_core.data.dataset import SPLITS, Array, Dataset, Part
from kd_core.data.input_spec import InputSpec
from kd_core.data.view import Viewed, Views
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.models.building import view_of
from kd_core.safe_io import read_json
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec

JOB, TEACHER = "job.json", "teacher.npy"


@dataclass(frozen=True)
class Handover:
    """All that training needs. The test part is empty: nobody who trains may read it."""

    dataset: Dataset
    variants: list[Variant]
    teacher_logits: Array | None
    training: TrainingSpec
    metric: str | None
    checkpoints: Path | None


def write(
    folder: Path,
    dataset: Dataset,
    variants: list[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    metric: str | None,
    checkpoints: Path | None,
) -> None:
    """Lay out in a folder what every child reads. Errors: OSError when the disk is full."""
    for split in SPLITS[:2]:
        part = dataset.parts[split]
        np.save(folder / f"{split}-y.npy", part.y, allow_pickle=False)
    inputs = {}
    for kind in dict.fromkeys(view_of(v.student.arch, dataset.views.kinds) for v in variants):
        rows = dataset.view(kind)
        inputs[kind] = asdict(rows.spec)
        for split in SPLITS[:2]:
            np.save(folder / f"{split}-{kind}.npy", np.ascontiguousarray(rows.parts[split]), allow_pickle=False)
    if teacher_logits is not None:
        np.save(folder / TEACHER, teacher_logits, allow_pickle=False)
    job = {
        "dataset": {
            "spec": dataset.spec.model_dump(mode="json"),
            "name": dataset.name,
            "hash": dataset.hash,
            "task": dataset.task,
            "classes": list(dataset.classes),
            "inputs": inputs,
            "target_mean": dataset.target_mean,
            "target_std": dataset.target_std,
        },
        "variants": [variant_values(v) for v in variants],
        "training": training.model_dump(mode="json"),
        "metric": metric,
        "checkpoints": str(checkpoints) if checkpoints else None,
    }
    (folder / JOB).write_text(json.dumps(job), "utf-8")


def read(folder: Path) -> Handover:
    """Read what `write` laid out; arrays are mapped, so that children share one copy in memory."""
    job = read_json(folder / JOB)
    told = job["dataset"]

    def array(name: str) -> Array:
        # copy-on-write: torch refuses to promise anything about read-only memory, and nobody writes to it
        found: Array = np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
        return found

    def rows(kind: str) -> Viewed:
        spec = InputSpec(**{**told["inputs"][kind], "shape": tuple(told["inputs"][kind]["shape"])})
        empty = np.empty((0, *spec.shape), spec.dtype)
        return Viewed(spec, {"train": array(f"train-{kind}"), "validation": array(f"validation-{kind}"), "test": empty})

    none = np.empty(0, dtype=np.int64)
    dataset = Dataset(
        DatasetSpec.parse(told["spec"]),
        told["name"],
        told["hash"],
        told["task"],
        tuple(told["classes"]),
        (),
        {
            "train": Part(array("train-y"), none),
            "validation": Part(array("validation-y"), none),
            "test": Part(none, none),
        },
        Views({kind: functools.partial(rows, kind) for kind in told["inputs"]}),
        pd.DataFrame(),
        target_mean=told["target_mean"],
        target_std=told["target_std"],
    )
    place = folder / TEACHER
    teacher = np.load(place, mmap_mode="c", allow_pickle=False) if place.exists() else None
    return Handover(
        dataset,
        [variant_from(v) for v in job["variants"]],
        teacher,
        TrainingSpec.parse(job["training"]),
        job["metric"],
        Path(job["checkpoints"]) if job["checkpoints"] else None,
    )


def variant_values(variant: Variant) -> dict[str, Any]:
    """Return a variant as plain values for JSON."""
    return {
        "student": variant.student.model_dump(mode="json"),
        "objective": variant.objective.model_dump(mode="json") if variant.objective else None,
        "seed": variant.seed,
        "learning_rate": variant.learning_rate,
        "weight_decay": variant.weight_decay,
    }


def variant_from(values: dict[str, Any]) -> Variant:
    """Return the variant that `variant_values` described."""
    objective = values["objective"]
    return Variant(
        StudentSpec.parse(values["student"]),
        Choice.parse(objective) if objective else None,
        values["seed"],
        values["learning_rate"],
        values["weight_decay"],
    )


def write_result(folder: Path, position: int, trained: TrainedVariant) -> None:
    """Write one finished training; the JSON last, since the parent is told only afterwards."""
    safetensors.torch.save_file(trained.state, str(folder / f"result-{position}.safetensors"))
    values = {
        "selected_epoch": trained.selected_epoch,
        "last_epoch": trained.last_epoch,
        "score_selected": trained.score_selected,
        "score_last": trained.score_last,
        "seconds": trained.seconds,
        "stopped": trained.stopped,
        "diverged": trained.diverged,
        "history": trained.history,
    }
    for name in ("score_selected", "score_last"):  # of a training without a first epoch: JSON has no NaN
        values[name] = None if math.isnan(getattr(trained, name)) else values[name]
    (folder / f"result-{position}.json").write_text(json.dumps(values), "utf-8")


def read_result(folder: Path, position: int, variant: Variant) -> TrainedVariant:
    """Read one finished training and drop its files."""
    weights, rest = folder / f"result-{position}.safetensors", folder / f"result-{position}.json"
    state, values = safetensors.torch.load(weights.read_bytes()), read_json(rest)
    for name in ("score_selected", "score_last"):
        values[name] = math.nan if values[name] is None else values[name]
    weights.unlink()
    rest.unlink()
    return TrainedVariant(variant, state, **values)
