"""What passes between a sweep and its child processes: arrays as .npy files, the rest as JSON and safetensors."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.torch

from kd_core.data.dataset import Array, Dataset, Part
from kd_core.data.view import Views
from kd_core.distill.variants import TrainedVariant, Variant
from kd_core.safe_io import read_json
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec

JOB, TEACHER = "job.json", "teacher.npy"
_ARRAYS = ("train-x", "train-y", "validation-x", "validation-y")


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
    for split in ("train", "validation"):
        part = dataset.parts[split]
        np.save(folder / f"{split}-x.npy", np.ascontiguousarray(dataset.view().parts[split]), allow_pickle=False)
        np.save(folder / f"{split}-y.npy", part.y, allow_pickle=False)
    if teacher_logits is not None:
        np.save(folder / TEACHER, teacher_logits, allow_pickle=False)
    job = {
        "dataset": {
            "spec": dataset.spec.model_dump(mode="json"),
            "name": dataset.name,
            "hash": dataset.hash,
            "task": dataset.task,
            "classes": list(dataset.classes),
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
    # copy-on-write: torch refuses to promise anything about read-only memory, and nobody writes to it
    arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="c", allow_pickle=False) for n in _ARRAYS}
    told = job["dataset"]
    width = arrays["train-x"].shape[1]
    none = np.empty(0, dtype=np.int64)
    dataset = Dataset(
        DatasetSpec.parse(told["spec"]),
        told["name"],
        told["hash"],
        told["task"],
        tuple(told["classes"]),
        (),
        {
            "train": Part(arrays["train-y"], none),
            "validation": Part(arrays["validation-y"], none),
            "test": Part(none, none),
        },
        Views.of_table(
            {"train": arrays["train-x"], "validation": arrays["validation-x"], "test": np.empty((0, width), np.float32)}
        ),
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
