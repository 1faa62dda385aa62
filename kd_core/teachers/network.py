"""What network teachers share: the training settings, the training on labels and the answers in batches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.errors import Stopped
from kd_core.machine.device import pick, threads
from kd_core.models.base import Outputs
from kd_core.models.building import build, start_weights
from kd_core.models.sizes import file_bytes
from kd_core.seeding import derive
from kd_core.specs import Choice, Spec, TrainingSpec, unit
from kd_core.task import task_of
from kd_core.teachers.base import FitData, Notify, ShouldStop
from kd_core.teachers.estimator import check_classes, stop_if_asked
from kd_core.training.loop import TrainRows, optimise
from kd_core.training.meter import BatchTerms
from kd_core.training.plan import resolve
from kd_core.training.predict import predict
from kd_core.training.scoring import Scoring


class NetworkSpec(Spec):
    """How a network teacher is trained; the fields of its architecture are added to these."""

    epochs: int | None = Field(
        None,
        ge=1,
        le=2000,
        description="Passes over the training rows at most, in each of the teacher's fits; chosen from the number of rows when empty. The epochs of the students do not bound these.",
        json_schema_extra=unit("epochs"),
    )
    batch_size: int | None = Field(
        None,
        ge=8,
        le=65536,
        description="Rows per step; chosen from the number of rows when empty.",
        json_schema_extra=unit("rows", advanced=True),
    )
    learning_rate: float = Field(
        1e-3,
        gt=0,
        le=10,
        description="Step size of the optimiser; networks of pictures, which bear larger ones, take 2.5 times as much, linear models 5 times.",
        json_schema_extra=unit("per step", log=True, advanced=True),
    )
    weight_decay: float = Field(
        1e-3, ge=0, le=1, description="Pulls weights towards zero.", json_schema_extra=unit("per step", advanced=True)
    )
    patience: int = Field(
        8,
        ge=1,
        le=2000,
        description="Epochs without a better validation value before training stops.",
        json_schema_extra=unit("epochs", advanced=True),
    )


@dataclass(frozen=True)
class FittedNetwork:
    """A trained network that answers in logits."""

    network: nn.Module
    device: torch.device
    facts: dict[str, Any] = field(default_factory=dict)

    def logits(self, x: Array) -> Array:
        """(N, F) float32 -> (N, C) float32, in evaluation mode and without gradients."""
        return predict(self.network, x, self.device)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def size_bytes(self) -> int:
        return file_bytes(self.network.state_dict())

    def module(self) -> nn.Module:
        return self.network

    def details(self) -> dict[str, Any]:
        return dict(self.facts)


def fit_network(
    arch: Choice, spec: NetworkSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop
) -> FittedNetwork:
    """Train an architecture on hard labels and return it at its epoch of lowest validation log loss (or RMSE).

    Epoch events carry the task's primary metric as `score`, so that they share an axis with the students'.
    Errors: Stopped, DataError, NonFiniteLoss.
    """
    stop_if_asked(should_stop)
    check_classes(data)
    task = task_of(data.task)
    device, shown, metric = pick(data.device), task.primary, task.stopping
    with start_weights(seed):
        module = build(arch, data.inputs, data.num_outputs, data.task)
    y_validation = task.unscaled(data.y_validation, data.target_mean, data.target_std)
    scoring = Scoring(
        data.task, y_validation, metric, data.target_mean, data.target_std, (shown,), data.groups_validation
    )
    asked = resolve(
        TrainingSpec(
            epochs=spec.epochs,
            batch_size=spec.batch_size,
            learning_rate=spec.learning_rate,
            weight_decay=spec.weight_decay,
            patience=spec.patience,
        ),
        len(data.y),
        arch.name,
    )
    plan = replace(asked, rounds=1)  # one round: the budget of more is the students'
    rows = TrainRows(data.x, data.x_validation)
    labels, hard = torch.from_numpy(np.ascontiguousarray(data.y)).to(device), task.hard_loss()
    groups = None if data.groups is None else torch.from_numpy(data.groups).to(device)

    def loss(outputs: Outputs, index: Tensor) -> BatchTerms:
        total = hard(outputs, labels[index], None if groups is None else groups[index])
        return BatchTerms(total, hard=total.detach())

    def tell(event: dict[str, Any]) -> None:
        score = {"score": event["metrics"][shown], "selection": metric} if event["kind"] == "epoch" else {}
        notify({**event, **score})

    with threads(1):  # two threads wait busily for each other: tens of times slower on a machine that is not idle
        trained = optimise(
            module,
            rows,
            loss,
            scoring,
            plan,
            derive(seed, "train"),
            notify=tell,
            should_stop=should_stop,
            device=device,
            groups=data.groups,
        )
    if trained.stopped:
        raise Stopped
    facts = {
        "epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "selection": metric,
        "selected_epoch": trained.selected_epoch,
        "last_epoch": trained.last_epoch,
        "score_selected": trained.validation_selected[shown],
        "score_last": trained.validation_last[shown],
    }
    return FittedNetwork(trained.module, device, facts)
