"""The training loop: rows on the device, seeded batches, early stopping, the best epoch kept.

Legend: N rows, F features, C outputs.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.data.view import Viewed
from kd_core.errors import KDError, Stopped
from kd_core.models.base import Outputs
from kd_core.models.dropout import seed_masks, use_own_stream
from kd_core.seeding import derive
from kd_core.training import optimiser as optimisers
from kd_core.training.batches import Dealer
from kd_core.training.checkpoint import Checkpoints, Saved
from kd_core.training.ending import ended
from kd_core.training.meter import BatchTerms as BatchTerms
from kd_core.training.meter import Meter, NonFiniteLoss, matmul_precision, non_finite
from kd_core.training.plan import TrainingPlan
from kd_core.training.predict import predict
from kd_core.training.rows import Resident, open_rows, streamed_warning
from kd_core.training.selection import Judged, Score

TRAINING_COPIES = 6  # of each weight: itself, its gradient, two of the optimiser, the best so far, one in passing

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
BatchLoss = Callable[[Outputs, Tensor], BatchTerms]
Begin = Callable[[int, int], None]


@dataclass(frozen=True)
class TrainRows:
    """What is learned from and chosen on; the last `made` of x are made rows. Shape: x (N, ...) and x_validation (V, ...).

    A memory-mapped array is given as it is: rows that do not fit in memory are streamed from it.
    """

    x: Tensor | Array
    x_validation: Tensor | Array
    made: int = 0

    @classmethod
    def of(cls, viewed: Viewed) -> TrainRows:
        """Take the training and the validation part of a view."""
        return cls(viewed.parts["train"], viewed.parts["validation"])


@dataclass(frozen=True)
class Trained:
    """A network at its selected epoch. Epochs count from 1; scores are of the selection metric."""

    module: nn.Module
    selected_epoch: int
    last_epoch: int
    epochs_run: int
    history: list[dict[str, Any]]
    validation_selected: dict[str, float | None]
    validation_last: dict[str, float | None]
    score_selected: float
    score_last: float
    seconds: float
    stopped: bool


@dataclass
class Progress:
    """How far a training has come; with the tensors this is all that a resume needs."""

    epoch: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    done: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)


def ignore(event: dict[str, Any]) -> None:
    """Drop an event."""


def never() -> bool:
    """Go on."""
    return False


def optimise(
    module: nn.Module,
    data: TrainRows,
    loss: BatchLoss,
    score: Score,
    plan: TrainingPlan,
    seed: int,
    *,
    notify: Notify = ignore,
    should_stop: ShouldStop = never,
    checkpoint: Path | None = None,
    device: torch.device | None = None,
    beside: nn.Module | None = None,
    groups: Array | None = None,
    begin: Begin | None = None,
    close: Callable[[], None] | None = None,
) -> Trained:
    """Train a network and return it at the epoch that was best on validation.

    Batch order and dropout depend on `seed` and the epoch alone, so two trainings with one seed see the same batches, and a resumed
    one goes on bit for bit (on the CPU). A stop request is honoured at the next batch. `beside` is a part of the loss that learns with the network: it is in the checkpoints, not in the result.
    `groups`: numbers of the groups of rows that stay in one batch, for a task that asks for it. `begin` hears of each epoch, and how many are planned;
    `close` hears that its steps are done, before the network is judged.

    Errors: NonFiniteLoss (code `non_finite_loss`); Stopped when asked to stop before the first epoch ended;
    KDError `undefined_selection`, `no_rows`, `other_checkpoint`.
    """
    training = _Training(module, data, loss, score, plan, seed, device or torch.device("cpu"), beside, groups)
    training.close = close
    with contextlib.closing(training.rows):
        return training.run(notify, should_stop, checkpoint, begin)


class _Training:
    def __init__(
        self,
        module: nn.Module,
        data: TrainRows,
        loss: BatchLoss,
        score: Score,
        plan: TrainingPlan,
        seed: int,
        device: torch.device,
        beside: nn.Module | None = None,
        groups: Array | None = None,
    ) -> None:
        check_rows(data)
        self.module = use_own_stream(module.to(device))
        self.beside = nn.Module() if beside is None else use_own_stream(beside.to(device))
        learning = nn.ModuleList([self.module, self.beside])
        self.loss, self.score, self.plan, self.seed, self.device = loss, score, plan, seed, device
        needed = TRAINING_COPIES * sum(t.numel() * t.element_size() for t in learning.parameters())
        self.rows = open_rows(data.x, device, num_bytes_reserved=needed)
        validation = open_rows(data.x_validation, device, num_bytes_reserved=needed)
        # `predict` brings over what is not on the device, piece by piece
        self.x_validation = validation.x if isinstance(validation, Resident) else data.x_validation
        self.dealer = Dealer(plan, self.rows.num_rows - data.made, groups, data.made)
        self.steps = self.dealer.steps
        self.optimiser = optimisers.make(learning, plan)
        self.weights = list(learning.parameters())
        self.progress = Progress()
        self.close: Callable[[], None] | None = None
        self.state = [t for t in module.state_dict().values() if t.numel()]
        self.best = [torch.empty_like(t) for t in self.state]
        self.cast: contextlib.AbstractContextManager[Any] = (
            torch.autocast(device.type, dtype=torch.bfloat16)
            if plan.precision == "bfloat16"
            else contextlib.nullcontext()
        )

    def run(self, notify: Notify, should_stop: ShouldStop, folder: Path | None, begin: Begin | None) -> Trained:
        if problem := streamed_warning(self.rows):
            notify(problem)
        kept = self._open(folder, notify) if folder else None
        before, start = self.progress.seconds, time.monotonic()
        meter, stopped = Meter(self.device, self.steps), False
        with matmul_precision(self.plan.precision, self.device):
            while not self._finished():
                if begin:
                    begin(self.progress.epoch + 1, self.plan.epochs)
                try:
                    stopped = not self._epoch(meter, should_stop)
                    self.progress.seconds = before + time.monotonic() - start
                    if stopped:
                        break
                    if self.close:
                        self.close()
                    notify({"kind": "epoch", **self._judge(meter)})
                except NonFiniteLoss as error:
                    error.kept = self._result(False) if self.progress.best_epoch else None
                    raise
                if kept and kept.due():
                    kept.save(self._tensors(), self._counters())
        self.progress.seconds = before + time.monotonic() - start
        if stopped and not self.progress.best_epoch:
            raise Stopped("Stopped before the first epoch ended; there is nothing to keep.")
        self.progress.done = not stopped
        if kept and not stopped and kept.worth_finishing():
            kept.save(self._tensors(), self._counters())
        return self._result(stopped)

    def _finished(self) -> bool:
        p = self.progress
        return p.done or ended(self.plan, self.score.metric, p.history, p.best_epoch)

    def _epoch(self, meter: Meter, should_stop: ShouldStop) -> bool:
        """Take one pass over the rows; False when a stop request cut it off."""
        epoch, total_steps = self.progress.epoch + 1, self.steps * self.plan.epochs
        module, loss, optimiser, plan = self.module, self.loss, self.optimiser, self.plan
        cast, full = self.cast, plan.precision != "bfloat16"
        module.train()
        self.beside.train()
        seed_masks(derive(self.seed, "dropout", epoch), self.device)
        meter.start(epoch)
        step = (epoch - 1) % self.plan.epochs * self.steps
        batches = self._batches(epoch)
        for index, x in zip(batches, self.rows.epoch(batches), strict=True):
            if should_stop():
                self.rows.close()
                return False
            rate = optimisers.learning_rate(plan, step, total_steps)
            for group in optimiser.param_groups:
                group["lr"] = rate
            with cast:
                outputs = module(x)
            terms = loss(outputs if full else outputs.each(Tensor.float), index)  # losses need the digits
            meter.add(terms, len(index))
            for weight in self.weights:  # optimiser.zero_grad() does the same and takes 5 times as long
                weight.grad = None
            terms.backward()
            optimiser.step()
            step += 1
        self.rate = rate
        return True

    def _batches(self, epoch: int) -> tuple[Tensor, ...]:
        """Deal the rows of an epoch."""
        order, sizes = self.dealer.deal(self.seed, epoch)
        return torch.split_with_sizes(order.to(self.device, non_blocking=True), sizes)

    def _judge(self, meter: Meter) -> dict[str, Any]:
        """Score the epoch on validation and keep the weights when it is the best so far."""
        p = self.progress
        means, seconds = meter.finish(), p.seconds - sum(h["seconds"] for h in p.history)
        z = predict(self.module, self.x_validation, self.device)
        if not np.isfinite(z).all():
            raise non_finite((p.epoch + 1) * self.steps, self.steps, p.epoch + 1, math.nan)
        metrics = self.score(z)
        judged = Judged(self.score.selection(metrics), self.score.loss(metrics))
        best = not p.history or judged.beats(self._kept(), self.score.better)
        p.epoch += 1
        if best:
            p.best_epoch = p.epoch
            torch._foreach_copy_(self.best, self.state)
        row = {
            "epoch": p.epoch,
            "epochs": self.plan.planned_end(p.epoch),
            "loss": means.total,
            "hard": means.hard,
            "soft": means.soft,
            "score": judged.score,
            "metrics": metrics,
            "learning_rate": self.rate,
            "rows_per_s": round(self.dealer.dealt / max(seconds, 1e-9), 1),
            "best": best,
            **({"shares": means.shares} if means.shares else {}),
        }
        p.history.append({**row, "seconds": seconds})
        return row

    def _kept(self) -> Judged:
        kept = self.progress.history[self.progress.best_epoch - 1]
        return Judged(kept["score"], self.score.loss(kept["metrics"]))

    def _result(self, stopped: bool) -> Trained:
        p = self.progress
        with torch.no_grad():
            torch._foreach_copy_(self.state, self.best)
        self.module.eval()
        selected, last = p.history[p.best_epoch - 1], p.history[-1]
        return Trained(
            self.module,
            p.best_epoch,
            p.epoch,
            p.epoch,
            p.history,
            selected["metrics"],
            last["metrics"],
            selected["score"],
            last["score"],
            p.seconds,
            stopped,
        )

    def _open(self, folder: Path, notify: Notify) -> Checkpoints:
        """Take up an earlier attempt where there is one."""
        parts = (*self.module.state_dict().items(), *self.beside.state_dict().items())
        shapes = [[name, *t.shape] for name, t in parts]
        work = {"plan": self.plan.steps_of(), "seed": self.seed, "rows": self.rows.num_rows, "shapes": shapes}
        kept = Checkpoints(folder, work)
        saved = kept.newest()
        for problem in kept.damaged:
            notify({"kind": "warning", "code": problem.code, "message": problem.message, "hint": problem.hint})
        if saved:
            self._restore(saved)
        return kept

    def _tensors(self) -> dict[str, Tensor]:
        names = [name for name, t in self.module.state_dict().items() if t.numel()]
        found = {f"model/{n}": t for n, t in zip(names, self.state, strict=True)}
        found |= {f"best/{n}": t for n, t in zip(names, self.best, strict=True)}
        found |= {f"beside/{n}": t for n, t in self.beside.state_dict().items() if t.numel()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser/{index}/{k}": v for k, v in entry.items() if isinstance(v, Tensor)}
        return found

    def _counters(self) -> dict[str, Any]:
        return asdict(self.progress)

    def _restore(self, saved: Saved) -> None:
        with torch.no_grad():
            for name, mine in self._tensors().items():
                mine.copy_(saved.tensors[name])
        state = self.optimiser.state_dict()
        for name, tensor in saved.tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "optimiser":
                index, key = rest.split("/")
                state["state"].setdefault(int(index), {})[key] = tensor
        optimisers.load(self.optimiser, state)
        self.progress = Progress(**saved.counters)


def check_rows(data: TrainRows) -> None:
    """Refuse a training without rows. Errors: KDError `no_rows` with both counts."""
    if not len(data.x) or not len(data.x_validation):
        raise KDError(
            "There are {train} training and {validation} validation rows; both are needed.",
            "Use a larger table or another split.",
            "no_rows",
            train=len(data.x),
            validation=len(data.x_validation),
        )
