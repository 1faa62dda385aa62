"""Teacher and student trained together: each batch goes through both, and each may hear what the other says of it now.

The teacher learns beside the student: its weights lie in the same optimiser and checkpoints, and are dropped afterwards. Both read the
same rows of a batch, each in its own view. The student's start weights, batches and dropout are those of its baseline.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.distill import objective as objectives
from kd_core.distill.base import LOSSES
from kd_core.distill.meeting import Helper, Lesson, Met, Way
from kd_core.distill.preparing import prepare
from kd_core.distill.student import TrainedStudent, scoring
from kd_core.models.base import Outputs
from kd_core.models.building import build, build_for, start_weights, viewed
from kd_core.models.dropout import masks_beside, use_own_stream
from kd_core.seeding import derive
from kd_core.specs import Choice, Spec, unit
from kd_core.task import task_of
from kd_core.teachers.base import network_of, teacher_view
from kd_core.training.loop import TrainRows, optimise
from kd_core.training.meter import BatchTerms
from kd_core.training.plan import resolve
from kd_core.training.predict import predict
from kd_core.training.rows import open_rows


class JointSpec(Spec):
    """How much each hears of the other."""

    weight: float = Field(
        1.0,
        ge=0,
        le=10,
        description="Weight of what the other says, beside the labels at weight 1; 0 is the baseline.",
        json_schema_extra=unit("times the loss of the labels"),
    )
    temperature: float = Field(
        1.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; 1 as published. Numbers have none.",
        json_schema_extra=unit("divides the logits", log=True),
    )


class Peer(nn.Module):
    """The teacher that learns, with its validation score after each epoch: kept with its weights, so that a resumed training has them."""

    def __init__(self, network: nn.Module, epochs: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("scores", torch.full((epochs,), math.nan, dtype=torch.float64))
        self.scores: Tensor


def peer_of(teacher: Choice, lesson: Lesson, seed: int) -> tuple[nn.Module, Any]:
    """Build the network of a teacher, not yet trained, and the view that it reads. Errors: UnknownName, SpecError `other_view`."""
    dataset = lesson.dataset
    kind = teacher_view(teacher, dataset.views.kinds)
    assert kind is not None
    read = dataset.view(kind)
    with start_weights(derive(seed, "peer")):
        made = build(network_of(teacher), read.spec, dataset.num_outputs, dataset.task)
    return use_own_stream(made), read


def train(spec: JointSpec, lesson: Lesson, way: Way, *, back: bool) -> Met:
    """Train both: student = hard + weight x D(peer now, student); peer = hard, with `back` + weight x D(student now, peer).

    D is the usual loss of the task: T² KL(p_other ‖ p_self) for classes, the squared distance for numbers. Neither hears a gradient of
    the other's. Errors: as `train_student`.
    """
    dataset, arch = lesson.dataset, lesson.student.arch
    assert lesson.teacher is not None
    plan = resolve(lesson.training, len(dataset.train), arch.name)
    with start_weights(way.seed):
        module = build_for(dataset, arch)
    prepare(module, dataset, arch, None)
    network, read = peer_of(lesson.teacher, lesson, way.seed)
    peer = Peer(network.to(way.device), plan.most_epochs).to(way.device)
    groups, weights = dataset.dealt_by(), objectives.weights_for(dataset, lesson.training)
    alone = objectives.make(dataset.task, None, dataset.scaled_y("train"), None, weights, None, groups)
    loss = JointLoss(spec, dataset.task, alone, peer.network, read.parts["train"], way.device, back)
    score, own = scoring(dataset, way.metric), viewed(dataset, arch)

    def tell(event: dict[str, Any]) -> None:
        way.notify(event)
        if event["kind"] != "epoch":
            return
        metrics = score(predict(peer.network, read.parts["validation"], way.device))
        value, at = score.selection(metrics), event["epoch"] - 1
        peer.scores[at] = value
        seen = peer.scores[: at + 1].cpu().numpy()
        best = value == (np.nanmax(seen) if score.better == "higher" else np.nanmin(seen))
        means = loss.take_means()
        way.notify(
            {
                **event,
                **means,
                "soft": None,
                "score": value,
                "metrics": metrics,
                "best": bool(best),
                "helper": "teacher",
            }
        )

    trained = optimise(
        module,
        TrainRows.of(own),
        loss,
        score,
        plan,
        way.seed,
        notify=tell,
        should_stop=way.should_stop,
        checkpoint=way.checkpoint,
        device=way.device,
        beside=peer,
        groups=groups,
    )
    reached = float(peer.scores[trained.selected_epoch - 1])
    parameters = sum(p.numel() for p in peer.network.parameters())
    helper = Helper("teacher", reached if math.isfinite(reached) else None, trained.seconds, parameters)
    student = TrainedStudent(
        trained.module,
        trained,
        {"validation": predict(trained.module, own.parts["validation"], way.device)},
        own,
        way.device,
    )
    return Met(student, (helper,))


class JointLoss:
    """The loss of both for a batch. Shape: rows (N, ...) of the training part as the peer reads them."""

    def __init__(
        self,
        spec: JointSpec,
        task: str,
        alone: objectives.Objective,
        network: nn.Module,
        rows: Any,
        device: torch.device,
        back: bool,
    ) -> None:
        self.spec, self.task, self.alone, self.network, self.back = spec, task, alone, network, back
        self.rows = open_rows(rows, device)
        entry = LOSSES.get(task_of(task).objective)
        known = {"temperature": spec.temperature} if "temperature" in entry.spec.model_fields else {}
        self.distance, self.settings = entry.make, entry.spec.parse({"alpha": 1.0, **known})
        self._sum: float | Tensor = 0.0
        self._count = 0

    def __call__(self, outputs: Outputs, index: Tensor) -> BatchTerms:
        """Add both losses up: their gradients do not meet, as each hears the other's answers only."""
        x = self.rows.take(index)
        with masks_beside("peer") if self.network.training else contextlib.nullcontext():
            theirs = self.network(x)
        hard, labels = self.alone(outputs, index), self.alone.labels.index_select(0, index)
        peer_hard = self.alone(theirs, index).total
        self._sum, self._count = self._sum + peer_hard.detach(), self._count + 1
        if not self.spec.weight:
            return BatchTerms(hard.total + peer_hard, hard.hard)
        soft = self.distance(outputs, self._still(theirs), labels, self.settings)
        total = hard.total + self.spec.weight * soft + peer_hard
        if self.back:
            total = total + self.spec.weight * self.distance(theirs, self._still(outputs), labels, self.settings)
        return BatchTerms(total, hard.hard, soft)

    def _still(self, outputs: Outputs) -> Outputs:
        z = outputs.logits.detach()
        return Outputs(z, kinds=objectives.kinds_of(self.task, z.shape[1]))

    def take_means(self) -> dict[str, float | None]:
        """Return the peer's mean loss against the labels since the last time."""
        mean = float(self._sum) / self._count if self._count else None
        self._sum, self._count = 0.0, 0
        return {"loss": mean, "hard": mean}
