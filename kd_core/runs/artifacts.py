"""Files beside result.json: soft labels of some test rows, those rows, and the students' weights."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.data.pictures.column import as_files
from kd_core.data.view import Viewed
from kd_core.export.column_curves import column_curves
from kd_core.export.compact import SUFFIX
from kd_core.limits import CELL_NUMBERS, CELL_ROWS, SOFT_LABEL_ROWS
from kd_core.models.building import cpu_state, viewed
from kd_core.runs.deployment import Deployment, purpose_of
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.store.kept_as import alone_as, taken_as
from kd_core.safe_io import write_bytes, write_json
from kd_core.seeding import derive
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.base import TeacherAnswers, known_rows

if TYPE_CHECKING:
    from kd_core.runs.cells.trainings import Arms
    from kd_core.runs.cells.variant_store import Finished
    from kd_core.runs.plain.references import Reference


def write_artifacts(
    folder: RunFolder,
    spec: RunSpec,
    dataset: Dataset,
    teacher: TeacherAnswers,
    pairs: Sequence[tuple[int, Arms]],
    deployments: Mapping[int, Deployment],
    plain: Sequence[Reference],
    alone: Mapping[int, tuple[int, Deployment]],
    device: torch.device,
) -> dict[str, Any]:
    """Write the artifacts and return their relative paths, with the number of rows kept of how many.

    The students of `spec` are as they were trained: of a what-if, with the settings of their best cells. `plain`: the models without
    a teacher that the result sets beside them, each kept with its first seed, which is the one whose bytes are told. `alone`: of
    students that their teacher hurt, the position of a seed and the file of the same one trained without it.
    """
    place = folder.path / "artifacts"
    z_teacher = teacher.logits["test"]
    known = np.flatnonzero(known_rows(z_teacher))
    some = known if len(known) else np.arange(len(dataset.test))  # rows to look at are those that the teacher answered
    groups = dataset.dealt_by("test")
    keep = some[kept_rows(len(some), dataset.hash, groups=None if groups is None else groups[some])]
    arrays: dict[str, Any] = {"row_ids": dataset.test.row_ids[keep], "labels": dataset.test.y[keep]}
    if len(known):
        arrays["teacher"] = z_teacher[keep]
    students, models = [], []
    for index, arm in pairs:
        best, module, arch = arm.kept, arm.deployed.module, spec.students[index].arch
        arrays[f"student_{index}"] = arm.student[best].logits(dataset, "test", device)[keep]
        arrays[f"baseline_{index}"] = arm.baseline[best].logits(dataset, "test", device)[keep]
        stem = f"artifacts/students/{index}"
        paths = write_model(folder, stem, module, deployments[index], dataset, arch)
        if drawn := column_curves(module, dataset, viewed(dataset, arch)):
            paths["curves"] = f"artifacts/students/{index}.curves.json"
            write_json(folder.path / paths["curves"], drawn)
        taken = {"arm": arm.taken} if arm.taken != "student" else {}
        students.append({"index": index, "name": spec.students[index].name, "seed": arm.seeds[best], **taken, **paths})
        models.append({**students[-1], **how_read(deployments[index], dataset, arch)})
    beside = []
    for one in plain:
        name, seed = taken_as(one.name), min(one.modules)
        paths = write_model(folder, f"artifacts/plain/{one.name}", one.modules[seed], one.deployment, dataset, one.arch)
        beside.append({"name": name, "title": one.title, "seed": seed, **paths})
    unhurt = []
    for index, arm in pairs:
        if index in alone:
            (position, deployed), arch = alone[index], spec.students[index].arch
            module, name = arm.baseline[position].module, spec.students[index].name
            paths = write_model(folder, f"artifacts/alone/{index}", module, deployed, dataset, arch)
            size = {} if deployed.data is None else {"bytes": len(deployed.data)}
            about = {"name": alone_as(name), "student": name, "seed": arm.seeds[position], **size, **paths}
            unhurt.append({**about, **how_read(deployed, dataset, arch)})
    others = [{**told, **how_read(one.deployment, dataset, one.arch)} for told, one in zip(beside, plain, strict=True)]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(place / "soft_labels.npz", buffer.getvalue())
    rows = io.BytesIO()
    kept = dataset.rows.iloc[dataset.test.row_ids[keep]].reset_index(drop=True)
    as_files(kept).to_parquet(rows, index=False)
    write_bytes(place / "rows.parquet", rows.getvalue())
    told = {"schema": 1, **purpose_of(dataset).told(), "students": models, **({"plain": others} if others else {})}
    told |= {"alone": unhurt} if unhurt else {}
    write_json(folder.path / MODEL, told)
    return {
        "model": MODEL,
        "soft_labels": "artifacts/soft_labels.npz",
        "rows": "artifacts/rows.parquet",
        "students": students,
        **({"plain": beside} if beside else {}),
        **({"alone": unhurt} if unhurt else {}),
        "rows_kept": len(keep),
        "rows_of": len(dataset.test),
        "target_mean": np.asarray(dataset.target_mean).tolist(),
        "target_std": np.asarray(dataset.target_std).tolist(),
    }


def write_model(
    folder: RunFolder, stem: str, module: torch.nn.Module, deployed: Deployment, dataset: Dataset, arch: Choice
) -> dict[str, Any]:
    """Write what a model is taken home as: weights, the file in its forms, and what reads its rows; return the relative paths."""
    paths: dict[str, Any] = {"weights": f"{stem}.safetensors"}
    write_bytes(folder.path / paths["weights"], safetensors.torch.save(cpu_state(module)))
    if deployed.data is None:
        paths["onnx_reason"] = deployed.reason
    else:
        paths["onnx"] = f"{stem}.onnx"
        write_bytes(folder.path / paths["onnx"], deployed.data)
        if deployed.compact is not None:
            paths["compact"] = f"{stem}{SUFFIX}"
            write_bytes(folder.path / paths["compact"], deployed.compact)
        if deployed.network is not None and deployed.network is not deployed.data:
            paths["network"] = f"{stem}.network.onnx"  # takes encoded rows, as a teacher does
            write_bytes(folder.path / paths["network"], deployed.network)
    if files := _view_files(folder, viewed(dataset, arch)):
        paths["view"] = files
    return paths


def how_read(deployed: Deployment, dataset: Dataset, arch: Choice) -> dict[str, Any]:
    """Say by what a model is asked: its file where that takes raw rows, else view and weights."""
    kind = viewed(dataset, arch).spec.kind
    at = {} if deployed.threshold is None else {"threshold": deployed.threshold}
    return {"raw": deployed.session is not None, "arch": arch.model_dump(mode="json"), "kind": kind, **at}


def _view_files(folder: RunFolder, rows: Viewed) -> list[str]:
    """Write what another program needs to read rows as a student does, and return the relative paths."""
    paths = []
    for name, data in (rows.view.state() if rows.view else {}).items():
        paths.append(f"artifacts/views/{rows.reading.replace(':', '-')}/{name}")
        write_bytes(folder.path / paths[-1], data)
    return paths


def write_cells(
    folder: RunFolder, dataset: Dataset, teacher: Array, best: Sequence[Finished | None], device: torch.device
) -> dict[str, Any]:
    """Write some validation rows as every cell's best seed answers them; NaN where a cell has none.

    Shape: teacher (V, C); in the file row_ids, labels (R,), teacher (R, C), logits (cells, R, C) float16, float32 of a catalogue.
    """
    numbers = max(1, len(best)) * dataset.width
    most = max(1, min(CELL_ROWS, CELL_NUMBERS // numbers))
    known = np.flatnonzero(known_rows(teacher))
    some = known if len(known) else np.arange(len(dataset.validation))
    keep = some[kept_rows(len(some), dataset.hash, most)]
    dtype = np.float16 if dataset.catalogue is None else np.float32  # a short form holds numbers of items
    most_of = np.finfo(dtype).max
    logits = np.full((len(best), len(keep), dataset.width), np.nan, dtype=dtype)
    answered: dict[int, Any] = {}  # cells with alpha 0 share a training
    for cell, finished in enumerate(best):
        if finished is not None:
            position = finished.record.training
            if position not in answered:
                answered[position] = finished.logits(dataset, "validation", keep, device)
            logits[cell] = np.clip(answered[position], -most_of, most_of)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        row_ids=dataset.validation.row_ids[keep],
        labels=dataset.validation.y[keep],
        teacher=teacher[keep],
        logits=logits,
    )
    write_bytes(folder.path / "artifacts" / "cells.npz", buffer.getvalue())
    return {"cells": "artifacts/cells.npz", "cell_rows_kept": len(keep), "cell_rows_of": len(dataset.validation)}


def kept_rows(count: int, name: str, most: int = SOFT_LABEL_ROWS, groups: Array | None = None) -> np.ndarray[Any, Any]:
    """Choose at most `most` positions, the same ones for the same dataset, in ascending order.

    Of rows that are compared with each other whole `groups` are kept: of the first drawn, all that fit, and one at least. Shape: (N,).
    """
    if count <= most:
        return np.arange(count)
    rng = np.random.default_rng(derive(0, "soft label rows", name))
    if groups is not None:
        _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        order = rng.permutation(len(sizes))
        fits = np.cumsum(sizes[order]) <= most
        fits[0] = True
        return np.flatnonzero(np.isin(codes, order[fits]))
    return np.sort(rng.choice(count, most, replace=False))
