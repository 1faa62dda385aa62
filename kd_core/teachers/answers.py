"""A teacher's answers for every row: from one fit for validation and test, out of fold for training rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kd_core.data.dataset import Array, Dataset
from kd_core.evaluate.latency import measure_latency, network_latency
from kd_core.seeding import derive
from kd_core.specs import Choice
from kd_core.teachers import kept
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop, TeacherAnswers
from kd_core.teachers.cache import TeacherCache, cache_key, code_version
from kd_core.teachers.crossfit import encoded_without
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.teachers.entry import Entry
from kd_core.teachers.estimator import check_classes, stop_if_asked

BATCHES = (1, 32, 256)


class _Fits:
    """The fits of one teacher: all training rows, then each fold's complement."""

    def __init__(
        self, dataset: Dataset, teacher: Choice, folds: int, seed: int, key: str, cache: TeacherCache | None,
        notify: Notify, should_stop: ShouldStop, device: str,
    ) -> None:  # fmt: skip
        self.dataset, self.seed, self.key, self.cache = dataset, seed, key, cache
        self.notify, self.should_stop, self.device = notify, should_stop, device
        self.source = SOURCES.get(teacher.name)
        self.spec = self.source.spec.parse(teacher.settings, f"teacher {teacher.name}")
        self.done, self.of = 0, folds + 1
        self.warned: set[str] = set()

    def part(self, name: str, fold: int | None, make: Callable[[], Entry]) -> Entry:
        """Return a part from the cache, or make and keep it; either way it counts as finished."""
        stop_if_asked(self.should_stop)
        found = self.cache.load_part(self.key, name, self.notify) if self.cache else None
        if found is None:
            found = make()
            if self.cache:
                self.cache.save_part(self.key, name, *found)
        self.done += 1
        facts = found[1]["details"]
        self.notify({
            "kind": "trained", "arm": "teacher", "student": None, "seed": self.seed, "fold": fold,
            **{k: facts.get(k) for k in ("selected_epoch", "last_epoch", "score_selected", "score_last")},
            "seconds": found[1]["seconds"], "done": self.done, "of": self.of,
        })  # fmt: skip
        return found

    def data(self, x: Array, y: Array, x_validation: Array) -> FitData:
        """Gather rows to fit on, with the validation rows beside them."""
        return FitData(
            task=self.dataset.task, num_outputs=self.dataset.num_outputs, x=x, y=y,
            x_validation=x_validation, y_validation=self.dataset.scaled_y("validation"),
            device=self.device, target_mean=self.dataset.target_mean, target_std=self.dataset.target_std,
        )  # fmt: skip

    def fit(self, data: FitData, fold: int | None) -> tuple[FittedTeacher, float]:
        """Fit and return the teacher with its seconds."""

        def tell(event: dict[str, Any]) -> None:
            if event["kind"] == "warning":  # every fold finds the same
                if event["code"] not in self.warned:
                    self.warned.add(event["code"])
                    self.notify(event)
                return
            self.notify({**event, "arm": "teacher", "student": None, "seed": self.seed, "fold": fold})

        began = time.perf_counter()
        seed = derive(self.seed, "teacher", "full" if fold is None else fold)
        fitted = self.source.make(self.spec, data, seed, tell, self.should_stop)
        return fitted, time.perf_counter() - began

    def full(self) -> Entry:
        """Fit on all training rows; answer validation and test; measure size and latency."""
        dataset = self.dataset
        data = self.data(dataset.train.x, dataset.scaled_y("train"), dataset.validation.x)
        fitted, seconds = self.fit(data, None)
        arrays = {split: fitted.logits(self.dataset.parts[split].x) for split in ("validation", "test")}
        return arrays, {
            "seconds": seconds, "num_parameters": fitted.num_parameters(), "size_bytes": fitted.size_bytes(),
            "latency_ms": latency(fitted, self.dataset.validation.x), "details": fitted.details(),
        }  # fmt: skip

    def fold(self, held: Array, fold: int) -> Entry:
        """Fit on the other folds and answer the held-out rows."""
        train, y = self.dataset.train, self.dataset.scaled_y("train")
        data = self.data(train.x[~held], y[~held], self.dataset.validation.x)
        check_classes(data)
        x, x_validation, x_held = encoded_without(self.dataset, held)
        fitted, seconds = self.fit(replace(data, x=x, x_validation=x_validation), fold)
        return {"held": fitted.logits(x_held)}, {"seconds": seconds, "details": fitted.details()}


def latency(fitted: FittedTeacher, x: Array) -> dict[str, Any]:
    """Time one answer: a network on torch and on ONNX Runtime, any other teacher in its own library (`native`).

    Units: milliseconds, one thread.
    """
    module = fitted.module()
    if module is not None:
        return network_latency(module, x.shape[1], BATCHES)

    def rows(n: int) -> Array:
        return np.ascontiguousarray(np.resize(x, (n, x.shape[1])))

    with threadpool_limits(1):
        native = measure_latency(fitted.logits, rows, batches=BATCHES)
    reason = "this teacher is not a network, so only its own library was measured"
    return {"native": native, "onnxruntime": {"reason": reason}}


def teacher_answers(
    dataset: Dataset,
    teacher: Choice,
    *,
    folds: int,
    seed: int,
    cache: TeacherCache | None,
    notify: Notify,
    should_stop: ShouldStop,
    device: str = "cpu",
) -> TeacherAnswers:
    """Fit a teacher and return its logits for all three parts; for training rows from fits that never saw them.

    The second call with the same data, teacher, folds and seed reads the cache and trains nothing.
    Errors: UnknownName, SpecError, DataError, Stopped (finished folds are kept).
    """
    key = cache_key(dataset.hash, teacher, folds, seed)
    shapes = {split: (len(part), dataset.num_outputs) for split, part in dataset.parts.items()}
    if cache and (found := cache.load(key, notify)):
        arrays, meta = found
        if {split: array.shape for split, array in arrays.items() if split in shapes} == shapes:
            logits = {split: arrays[split] for split in dataset.parts}
            return TeacherAnswers(logits=logits, cached=True, cache_key=key, **meta["answers"])
        notify({
            "kind": "warning", "code": "damaged_cache", "hint": "They are made again.",
            "message": f"The kept answers of teacher {teacher.name} don't fit the rows of this dataset.",
        })  # fmt: skip
    fits = _Fits(dataset, teacher, folds, seed, key, cache, notify, should_stop, str(device))
    fold_N = deal_folds(dataset.train.y, dataset.train.groups, folds, seed)  # first: too few groups cost no fit
    arrays, facts = fits.part("full", None, fits.full)
    z_NC = np.empty(shapes["train"], dtype=np.float32)
    seconds = facts["seconds"]
    rounds = []
    for k in range(folds):
        held = fold_N == k
        parts, fold_facts = fits.part(f"fold-{k}", k, lambda held=held, k=k: fits.fold(held, k))  # type: ignore[misc]
        z_NC[held] = parts["held"]
        seconds += fold_facts["seconds"]
        rounds.append(fold_facts["details"])
    logits = {"train": z_NC, "validation": arrays["validation"], "test": arrays["test"]}
    meta = {
        "name": teacher.name, "num_parameters": facts["num_parameters"], "size_bytes": facts["size_bytes"],
        "latency_ms": facts["latency_ms"], "fit_seconds": seconds, "folds": folds,
        "details": {**facts["details"], "full_seconds": facts["seconds"], "folds": rounds},
    }  # fmt: skip
    if cache:
        about = kept.recipe(dataset, teacher, folds, seed, code_version())
        keep: dict[str, Array] = dict(logits.items())
        keep["validation-labels"] = dataset.validation.y
        cache.save(key, keep, {"format": kept.FORMAT, "answers": meta, "recipe": about})
    return TeacherAnswers(logits=logits, cached=False, cache_key=key, **meta)
