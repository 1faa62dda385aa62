"""The ways to ask a pretrained network that texts and pictures share: a linear probe on its vectors, and its own classes as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.input_spec import InputSpec
from kd_core.data.view import Viewed, Views
from kd_core.errors import SpecError
from kd_core.machine.device import pick
from kd_core.task import task_of
from kd_core.teachers.base import Answered, Ask, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.each_target import each_target
from kd_core.teachers.fitting import fitted_once, from_fit
from kd_core.teachers.given import MAYBE_SEEN, told
from kd_core.teachers.pretrained import probe

VECTORS = "vectors"  # the way to read rows that this teacher makes for itself
PROBE_SECONDS = 1.2e-8  # of a fit per row, number of a vector and class: about 200 steps
# A probe reads vectors that no fit changes, so those of all rows have one basis whatever the folds.
GIVES: Mapping[str, frozenset[str]] = {
    "probe": frozenset({"logits", "features", "head", "one_basis"}),
    "finetune": frozenset({"logits", "features", "head"}),
    "as_is": frozenset({"logits"}),
}


@dataclass(frozen=True)
class Opened:
    """A pretrained network that was opened for a dataset.

    `counts`: rows by part, in the order in which all rows stand one after another; `what` they are, in one word; `latency` times the network
    with a head on its vectors, or alone; `facts` and `notes` as in `Answered`.
    """

    network: nn.Module
    counts: Mapping[str, int]
    what: str
    facts: Mapping[str, Any]
    latency: Callable[[FittedTeacher | None], dict[str, Any]]
    notes: tuple[dict[str, str], ...] = ()

    @property
    def weights(self) -> int:
        """Count the weights of the network."""
        return sum(p.numel() for p in self.network.parameters())

    def split(self, x: Array) -> dict[Any, Array]:
        """Deal what was found of all rows out to the parts."""
        ends = np.cumsum([self.counts[split] for split in SPLITS])[:-1]
        return dict(zip(SPLITS, np.split(x, ends), strict=True))


def probed(spec: Any, ask: Ask, opened: Opened, vectors: Array) -> Answered:
    """Learn a linear model on the vectors of all rows; they never saw a label, so folds share them.

    Errors: Stopped; DataError `one_class`.
    """
    parts = opened.split(vectors)
    heads: list[FittedTeacher] = []

    def fit(spec: Any, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
        heads.append(each_target(probe.fit)(spec, data, seed, notify, should_stop))
        return heads[-1]

    asked = reading(ask, InputSpec(VECTORS, vectors.shape[1:]), parts, hidden=False)
    found, head = from_fit(fit)(spec, asked), None
    if ask.hidden and ask.folds == 1:  # answers are bounded: the layer could not be found again from them
        if not heads:  # the fit was kept by a run that was cut off
            fitted_once(from_fit(fit), spec, asked)
        head = getattr(heads[0], "head", lambda: None)()
    return replace(
        found,
        num_parameters=opened.weights + (found.num_parameters or 0),
        size_bytes=4 * opened.weights + (found.size_bytes or 0),
        latency_ms=opened.latency(heads[0] if heads else None),
        seconds=found.seconds + opened.facts["vector_seconds"],
        details={**found.details, **opened.facts},
        notes=(*found.notes, *opened.notes),
        hidden={"train": parts["train"]} if ask.hidden else {},
        head=head,
    )


def as_it_is(ask: Ask, opened: Opened, order: list[int], answers: Iterable[tuple[Array, Array]]) -> Answered:
    """Gather the answers of the network's own head, its classes in the order of those here, as `order_of` found it."""
    began = told_at = time.perf_counter()
    rows, done = sum(opened.counts.values()), 0
    z = np.empty((rows, len(order)), np.float32)
    for at, logits in answers:
        z[at], done = logits[:, order], done + len(at)
        if (now := time.perf_counter()) - told_at > 1 or done == rows:
            told_at = now
            ask.notify({"kind": "part", "phase": "teacher", "what": opened.what, "done": done, "of": rows})
    return Answered(
        opened.split(z),
        opened.weights,
        4 * opened.weights,
        opened.latency(None),
        time.perf_counter() - began,
        details=dict(opened.facts),
        notes=(*opened.notes, told(MAYBE_SEEN.problem())),
    )


def as_is_only(spec: Any) -> bool:
    """Say whether a pretrained teacher with these settings can be asked after its run: as it is, nothing of it was learned there."""
    return bool(spec.mode == "as_is")


@dataclass(frozen=True)
class AsItIs:
    """A pretrained network that is asked its own classes about new rows. `read` takes what it reads from raw rows; `answers` is its own head.

    Of a probe and of a network that was fine-tuned only the answers are kept, so they can't be asked.
    """

    order: list[int]
    read: Callable[[pd.DataFrame], Sequence[Any]]
    answers: Callable[[Any, torch.device], Iterable[tuple[Array, Array]]]

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows -> (N, C) float32 logits."""
        z = np.empty((len(rows), len(self.order)), np.float32)
        for at, logits in self.answers(self.read(rows), pick("cpu")):
            z[at] = logits[:, self.order]
        return z


def reading(ask: Ask, inputs: InputSpec, parts: Mapping[Any, Array], hidden: bool) -> Ask:
    """Ask about the same rows, read in a way of the teacher's own."""
    viewed = Viewed(inputs, parts)
    data = replace(ask.dataset, views=Views({inputs.kind: lambda: viewed}))
    return replace(ask, dataset=data, reads=inputs.kind, hidden=hidden)


def order_of(dataset: Dataset, own: tuple[str, ...], hidden: bool = False) -> list[int]:
    """Find each class of the dataset among the model's own, by name. Errors: SpecError `model_features` where those are wanted, `model_labels`."""
    if hidden:
        raise SpecError(
            "A model that is asked as it is gives no inner features, and the loss reads them.",
            "Take the mode probe or finetune, or another loss.",
            "model_features",
        )
    plain = [name.strip().casefold() for name in own]
    wanted = [name.strip().casefold() for name in dataset.classes]
    if not task_of(dataset.task).has_classes or sorted(plain) != sorted(wanted):
        raise SpecError(
            "The model can't be asked as it is: its own classes are {own}, those here are {wanted}.",
            "Take the mode probe, which learns the classes here.",
            "model_labels",
            own=_named(own) or "not told in its config.json",
            wanted=_named(dataset.classes) or "none, as a number is predicted",
        )
    return [plain.index(name) for name in wanted]


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
