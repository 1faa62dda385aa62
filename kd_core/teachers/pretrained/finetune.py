"""Fine-tuning: all weights of an encoder go on learning, from a linear model that was learned on its vectors first."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.errors import Stopped
from kd_core.machine.device import pick, threads
from kd_core.models.base import Outputs
from kd_core.models.sizes import file_bytes
from kd_core.seeding import derive
from kd_core.specs import TrainingSpec
from kd_core.task import task_of
from kd_core.teachers.base import FitData, Notify, ShouldStop
from kd_core.teachers.estimator import SMALLEST_PROBABILITY, stop_if_asked
from kd_core.teachers.pretrained import probe
from kd_core.teachers.pretrained.encoder import Encoder, pool
from kd_core.teachers.pretrained.timing import text_latency
from kd_core.training.loop import TrainRows, optimise
from kd_core.training.meter import BatchTerms
from kd_core.training.plan import resolve
from kd_core.training.predict import predict
from kd_core.training.scoring import Scoring

FILLED = -1  # in a row of word pieces: nothing stands there
GROUPS = 4  # of a batch by length, each filled up to its own longest: half of the work of one group on a CPU
WEIGHT_DECAY = 0.01
ROWS_AT_ONCE = 64


def rows_of(encoder: Encoder, texts: list[str]) -> Array:
    """Write texts as rows that a fit can deal: the text's place among the vectors, then its word pieces.

    Shape: N texts -> (N, 1 + L) int32, `FILLED` where a text is shorter than the longest.
    """
    pieces = encoder.pieces(texts)
    rows = np.full((len(texts), 1 + max(map(len, pieces), default=1)), FILLED, dtype=np.int32)
    rows[:, 0] = np.arange(len(texts))
    for row, ids in zip(rows, pieces, strict=True):
        row[1 : 1 + len(ids)] = ids
    return rows


class FineTuned(nn.Module):
    """An encoder with a linear head on its standardised vectors. Legend: B rows, L word pieces, D, C outputs."""

    mean: Tensor
    spread: Tensor
    rows_at_once = ROWS_AT_ONCE

    def __init__(self, network: nn.Module, head: probe.Probe, num_outputs: int, pause: Callable[[], None]) -> None:
        super().__init__()
        self.network, self._pause = network, pause
        width = len(head.mean_D)
        self.head = nn.Linear(width, num_outputs)
        self.register_buffer("mean", torch.from_numpy(np.asarray(head.mean_D, np.float32)))
        self.register_buffer("spread", torch.from_numpy(np.asarray(head.spread_D, np.float32)))
        with torch.no_grad():  # a class that the head never saw starts as unlikely as a probe says
            self.head.weight.zero_()
            self.head.bias.fill_(float(np.log(SMALLEST_PROBABILITY)))
            at = torch.from_numpy(head.classes_K)
            self.head.weight[at] = torch.from_numpy(head.weights_DK.T.copy())
            self.head.bias[at] = torch.from_numpy(head.bias_K)

    def forward(self, rows: Tensor) -> Outputs:
        """(B, 1 + L) whole numbers -> logits (B, C) and features (B, 2D)."""
        if not self.training:
            self._pause()
        ids = rows[:, 1:].long()
        lengths = (ids != FILLED).sum(1)
        order = lengths.argsort(stable=True)
        groups = order.chunk(GROUPS if rows.device.type == "cpu" else 1)
        parts = [self._vectors(ids[at, : max(1, int(lengths[at[-1]]))]) for at in groups]
        features = torch.cat(parts)[order.argsort(stable=True)]
        return Outputs(self.head((features - self.mean) / self.spread), features)

    def _vectors(self, ids: Tensor) -> Tensor:
        mask = ids != FILLED
        found = self.network(input_ids=ids.clamp(min=self._pad), attention_mask=mask.long())
        return pool(found.last_hidden_state, mask.long())

    @property
    def _pad(self) -> int:
        return int(self.network.config.pad_token_id or 0)  # type: ignore[union-attr,arg-type]


@dataclass(frozen=True)
class FittedEncoder:
    """A fine-tuned encoder that answers in logits; `timing` measures it from the text on."""

    network: FineTuned
    device: torch.device
    timing: Callable[[FineTuned], dict[str, Any]]
    facts: dict[str, Any] = field(default_factory=dict)

    def logits(self, x: Array) -> Array:
        return predict(self.network, x, self.device)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def size_bytes(self) -> int:
        return file_bytes(self.network.state_dict())

    def module(self) -> nn.Module:
        return self.network

    def latency(self) -> dict[str, Any]:
        return self.timing(self.network)

    def details(self) -> dict[str, Any]:
        return dict(self.facts)


def latency(encoder: Encoder, tuned: FineTuned, texts: list[str]) -> dict[str, Any]:
    """Time a fine-tuned encoder from the text on. Units: milliseconds, one thread of the CPU."""
    cpu = torch.device("cpu")
    return text_latency(texts, lambda some: predict(tuned, rows_of(encoder, some), cpu))


@dataclass(frozen=True)
class FineTuning:
    """What every fit of one teacher starts from: the untouched encoder, the vectors of all texts (T, 2D), how to time it."""

    encoder: Encoder
    vectors: Array
    timing: Callable[[FineTuned], dict[str, Any]]

    def fit(self, spec: Any, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedEncoder:
        """Fit a probe, then train everything from there; keep the epoch of the lowest validation log loss (or RMSE).

        The head is learned first, so that the first steps do not spoil the encoder for the sake of a head that knows nothing.
        Errors: Stopped, DataError, NonFiniteLoss. Source: Kumar et al. 2022 (arXiv:2202.10054).
        """
        stop_if_asked(should_stop)
        seen = replace(data, x=self.vectors[data.x[:, 0]], x_validation=self.vectors[data.x_validation[:, 0]])
        head = probe.fit(spec, seen, seed, notify, should_stop)
        task, device = task_of(data.task), pick(data.device)
        with torch.random.fork_rng(devices=[]):
            module = FineTuned(
                copy.deepcopy(self.encoder.network).cpu(), head, data.num_outputs, lambda: stop_if_asked(should_stop)
            )
        y_validation = task.unscaled(data.y_validation, data.target_mean, data.target_std)
        shown, metric = task.primary, task.stopping
        scoring = Scoring(
            data.task, y_validation, metric, data.target_mean, data.target_std, (shown,), data.groups_validation
        )
        asked = TrainingSpec(
            epochs=spec.epochs,
            batch_size=spec.batch_size,
            learning_rate=spec.learning_rate,
            weight_decay=WEIGHT_DECAY,
            patience=spec.epochs,
        )
        plan = replace(resolve(asked, len(data.y)), rounds=1)
        labels, hard = torch.from_numpy(np.ascontiguousarray(data.y)).to(device), task.hard_loss()
        groups = None if data.groups is None else torch.from_numpy(data.groups).to(device)

        def loss(outputs: Outputs, index: Tensor) -> BatchTerms:
            total = hard(outputs, labels[index], None if groups is None else groups[index])
            return BatchTerms(total, hard=total.detach())

        def tell(event: dict[str, Any]) -> None:
            score = {"score": event["metrics"][shown], "selection": metric} if event["kind"] == "epoch" else {}
            notify({**event, **score})

        with threads(1):  # two wait for each other where the machine is not idle
            trained = optimise(
                module,
                TrainRows(data.x, data.x_validation),
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
            **head.details(),
            "epochs": plan.epochs,
            "batch_size": plan.batch_size,
            "selection": metric,
            "selected_epoch": trained.selected_epoch,
            "last_epoch": trained.last_epoch,
            "score_selected": trained.validation_selected[shown],
            "score_last": trained.validation_last[shown],
        }
        return FittedEncoder(module, device, self.timing, facts)
