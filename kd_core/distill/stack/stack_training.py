"""Training one stack: the epochs, batches, early stopping and best weights of many networks at once.

Every network sees the batches and the dropout masks that separate training with its seed would show it.

Legend: S networks, G distinct seeds, N training rows, B rows of a batch, F features, V validation rows, C outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from kd_core.distill.stack.forms.base import Stack, corner
from kd_core.distill.stack.replay import WARM_STEPS, Replay
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.distill.stack.stacked_optimiser import StackedOptimiser
from kd_core.errors import KDError
from kd_core.evaluate.base import better_of
from kd_core.evaluate.many import ManyScores
from kd_core.seeding import derive
from kd_core.training import optimiser as optimisers
from kd_core.training.batches import Dealer
from kd_core.training.checkpoint import Checkpoints, Saved
from kd_core.training.ending import ended
from kd_core.training.loop import ShouldStop
from kd_core.training.meter import matmul_precision
from kd_core.training.plan import TrainingPlan
from kd_core.training.rows import RowReader
from kd_core.training.selection import Judged

SEEN_NUMBERS = 2**21  # logits of training that wait for their losses
VALIDATION_BYTES = 64 * 2**20  # activations of a validation pass: rows are taken in pieces that stay below this
Stream = tuple[int, float, tuple[int, ...]]  # seed, dropout, widths of the masks
DONE, STOPPED = "done", "stopped"
LEAVE_SHARE = {
    "cpu": 0.0,
    "cuda": 0.25,
}  # finished networks leave at once, or (where a graph is recorded anew) in groups


@dataclass
class Member:
    """How far one network has come. `position` is its number in the work, `key` names it for ever."""

    position: int
    key: str
    seed: int
    best_epoch: int = 0
    best_score: float = math.nan
    best_loss: float | None = None  # which decides between epochs of that score
    last_score: float = math.nan
    seconds: float = 0.0
    ended: str = ""  # "", DONE, STOPPED or why it diverged
    told: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)


class StackTraining:
    """Trains a stack; `members` tell what came of it, `best` holds the weights of each network's selected epoch.

    `dropout` holds one share per network. Call `run`, which yields the rows of the networks that have just ended.
    With `curves` the members' histories hold the losses of every epoch as well. `made`: how many of the last rows are made ones.
    """

    def __init__(
        self,
        stack: Stack,
        lesson: StackedLesson,
        optimiser: StackedOptimiser,
        members: list[Member],
        dropout: Sequence[float],
        rows: RowReader,
        x_validation: Tensor,
        scores: ManyScores,
        plan: TrainingPlan,
        compute: torch.dtype,
        device: torch.device,
        curves: bool = False,
        made: int = 0,
    ) -> None:
        self.curves = curves
        self.stack, self.lesson, self.optimiser, self.members = stack, lesson, optimiser, members
        self.dropout, self.rows, self.x_validation, self.scores = list(dropout), rows, x_validation, scores
        self.plan, self.compute, self.device = plan, compute, device
        self.better = better_of(scores.metric)
        self.best = [w.clone() for w in stack.weights]
        self.epoch = 0
        self.dealer = Dealer(plan, rows.num_rows - made, made=made)
        self.steps = self.dealer.steps
        self._laid_out()

    def _laid_out(self) -> None:
        """Derive what depends on the list of networks."""
        seeds = sorted({m.seed for m in self.members})
        self.seeds = seeds
        self.seed_of = torch.tensor([seeds.index(m.seed) for m in self.members], device=self.device)
        self.low = self.compute != self.stack.weights[0].dtype
        if self.low:
            self.stack.compute = [w.to(self.compute) for w in self.stack.weights]
        masked = [tuple(self.stack.mask_widths(row)) if share else () for row, share in enumerate(self.dropout)]
        # networks of one seed, share and shape see the same masks: drawn once, from one stream
        own = [(m.seed, p, w) if w else None for m, p, w in zip(self.members, self.dropout, masked, strict=True)]
        self.streams: list[Stream] = sorted({key for key in own if key})
        row_of = [self.streams.index(key) + 1 if key else 0 for key in own]  # row 0 silences nothing
        self.mask_row = torch.tensor(row_of, device=self.device)
        self.mask_widths = self.stack.padded_widths() if self.streams else []
        self.losses = torch.zeros(2, len(self.members), dtype=self.stack.weights[0].dtype, device=self.device)
        self._seen: list[tuple[Tensor, Tensor]] = []
        self.recorded = self.device.type == "cuda" and self.lesson.recordable
        self.replay: Callable[..., None] = Replay(self._step, self.device) if self.recorded else self._step

    def run(self, should_stop: ShouldStop, kept: Checkpoints | None) -> Iterator[list[int]]:
        """Train to the end. After each epoch it yields the rows (in `members`) that ended with it, maybe none."""
        with matmul_precision(self.plan.precision, self.device), torch.no_grad():
            while self.members:
                start = time.monotonic()
                finished = self._train_epoch(should_stop)
                if finished:
                    self._judge()
                share = (time.monotonic() - start) / len(self.members)
                for member in self.members:
                    member.seconds += share
                if not finished:
                    for member in self.members:
                        member.ended = member.ended or STOPPED
                yield [row for row, m in enumerate(self.members) if m.ended and not m.told]
                for member in self.members:
                    member.told = bool(member.ended)
                due = kept is not None and kept.due()
                self._drop_ended(0.0 if due else LEAVE_SHARE[self.device.type])  # only what goes on is saved
                if kept and due and self.members:
                    kept.save(self._tensors(), self._counters())

    def time_steps(self, steps: int) -> list[float]:
        """Take some steps after a few to warm up; return the seconds of each."""
        self.epoch = 1
        self._seed_masks()
        batches = self._batches()
        full = [b for b in batches if b.shape == batches[0].shape]
        factors = self._factors()
        times = []
        with matmul_precision(self.plan.precision, self.device), torch.no_grad():
            for k in range(steps + WARM_STEPS + 1):
                index = full[k % len(full)]
                start = time.perf_counter()
                rows = self.rows.take(index.reshape(-1))
                self.replay(rows, index, factors[k % len(full)], *self._masks(index.shape[1]))
                if self.device.type == "cuda":
                    torch.cuda.synchronize(self.device)
                times.append(time.perf_counter() - start)
        return times[WARM_STEPS + 1 :]

    def _seed_masks(self) -> None:
        self._generators = [
            torch.Generator(self.device).manual_seed(derive(seed, "dropout", self.epoch)) for seed, _, _ in self.streams
        ]

    def _train_epoch(self, should_stop: ShouldStop) -> bool:
        """Take one pass over the rows; False when a stop request cut it off."""
        self.epoch += 1
        self.losses.zero_()
        self._seed_masks()
        batches = self._batches()
        if self.curves:
            self._measure(batches[0])
        rows_of = self.rows.epoch([b.reshape(-1) for b in batches])
        for rows, index, factor in zip(rows_of, batches, self._factors(), strict=True):
            if should_stop():
                self.rows.close()
                return False
            self.replay(rows, index, factor, *self._masks(index.shape[1]))
            if self._seen and len(self._seen) * self._seen[0][0].numel() > SEEN_NUMBERS:
                self._add_losses()
        self._add_losses()
        return True

    def _add_losses(self) -> None:
        """Add the losses of the steps since the last call: once for many steps costs less than the steps' products."""
        if self._seen:
            z, index = (torch.cat(parts, dim=-1) for parts in zip(*self._seen, strict=True))
            self._seen.clear()
            self.losses.add_(self.lesson.losses(z, index), alpha=index.shape[1] / self.dealer.dealt)

    def _factors(self) -> Sequence[float] | Tensor:
        """Say where the schedule stands at each step of this epoch; a GPU gets them at once and is not waited for."""
        first, total = (self.epoch - 1) % self.plan.epochs * self.steps, self.steps * self.plan.epochs
        height = self.plan.learning_rate
        found = [optimisers.learning_rate(self.plan, first + k, total) / height for k in range(self.steps)]
        return found if self.device.type == "cpu" else torch.tensor(found, device=self.device)

    def _step(self, rows: Tensor, index: Tensor, factor: float | Tensor, *masks: Tensor) -> None:
        """One step of every network. Shape: rows (G x B, F), index (G, B)."""
        stack = self.stack
        x, index = self._laid(rows, index)
        z = stack.forward(x, masks, True).to(stack.weights[0].dtype)
        if self.curves:
            self._seen.append((z, index))
            if self.recorded:  # where what the graph computed stays for one step
                self._add_losses()
        dz = self.lesson.gradient(z, index)
        stack.backward(dz.to(self.compute))
        self.optimiser.step(stack.weights, stack.grads, factor)
        if self.low:
            for mine, exact in zip(stack.compute, stack.weights, strict=True):
                mine.copy_(exact)

    def _laid(self, rows: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give every network its rows as it takes them. Shape: as `_step` -> (S, B, ...), (S, B)."""
        stack, groups = self.stack, len(self.seeds)
        x = rows.view(groups, index.shape[1], -1)
        if groups > 1:
            x, index = x.index_select(0, self.seed_of), index.index_select(0, self.seed_of)
        else:
            x, index = x.expand(len(stack), -1, -1), index.expand(len(stack), -1)
        held = stack.look_up(index)
        return (stack.encode(x) if held is None else held), index

    def _measure(self, index: Tensor) -> None:
        """Compare what pulls at each network, on the first batch of an epoch and without dropout."""
        x, index = self._laid(self.rows.take(index.reshape(-1)), index)
        self.shares = self.lesson.shares(self.stack.forward(x, (), False).to(self.stack.weights[0].dtype), index)

    def _batches(self) -> list[Tensor]:
        """Deal the rows of an epoch for every seed. Shape: (G, B) each."""
        orders, sizes = zip(*(self.dealer.deal(seed, self.epoch) for seed in self.seeds), strict=True)
        return list(torch.stack(orders).to(self.device, non_blocking=True).split_with_sizes(sizes[0], dim=1))

    def _masks(self, rows: int) -> list[Tensor]:
        """Draw the dropout masks of one step: the draws that separate training would make, once per seed and share."""
        masks = []
        for layer, widest in enumerate(self.mask_widths):
            drawn = torch.ones(len(self.streams) + 1, rows, widest, dtype=self.compute, device=self.device)
            for slot, (_, share, widths), stream in zip(drawn[1:], self.streams, self._generators, strict=True):
                noise = torch.empty(rows, widths[layer], device=self.device)
                slot[:, : widths[layer]].copy_(noise.bernoulli_(1 - share, generator=stream)).div_(1 - share)
            masks.append(drawn.index_select(0, self.mask_row))
        return masks

    def _judge(self) -> None:
        """Score every network on validation, keep the weights of those that improved, end those out of patience."""
        z = self._answers()
        values, settling = self.scores(z), self.scores.losses(z)
        losses = self.lesson.epoch_rows(self.losses, self.shares) if self.curves else []
        improved = []
        for row, (member, value, loss) in enumerate(zip(self.members, values, settling, strict=True)):
            if member.ended:
                continue
            if value is None:
                self._no_score(row)
                continue
            member.last_score = value
            best = not member.best_epoch or Judged(value, loss).beats(
                Judged(member.best_score, member.best_loss), self.better
            )
            member.history.append(
                {"epoch": self.epoch, "score": value, "best": best, **(losses[row] if losses else {})}
            )
            if best:
                member.best_epoch, member.best_score, member.best_loss = self.epoch, value, loss
                improved.append(row)
            if ended(self.plan, self.scores.metric, member.history, member.best_epoch):
                member.ended = DONE
        if len(improved) == len(self.members):
            torch._foreach_copy_(self.best, self.stack.weights)
        elif improved:
            rows = torch.tensor(improved, device=self.device)
            for kept, now in zip(self.best, self.stack.weights, strict=True):
                kept.index_copy_(0, rows, now.index_select(0, rows))

    def _no_score(self, row: int) -> None:
        """Tell a network whose numbers overflowed from a metric that these rows leave undefined."""
        member = self.members[row]
        if all(bool(torch.isfinite(w[row]).all()) for w in self.stack.weights) and bool(
            torch.isfinite(self._z[row]).all()
        ):
            raise KDError(
                "The metric '{metric}' is undefined on the {rows} validation rows, so no epoch can be chosen by it.",
                "Choose another metric, or make the validation part larger.",
                "undefined_selection",
                metric=self.scores.metric,
                rows=len(self.x_validation),
            )
        member.ended = f"The numbers overflowed in epoch {self.epoch}."

    def _answers(self) -> Tensor:
        """Compute validation logits on the CPU. Shape: (S, C, V)."""
        stack = self.stack
        exact, stack.compute = stack.compute, stack.weights  # judged in full precision, as the result will be
        most = max(256, VALIDATION_BYTES // (4 * len(stack) * stack.widest))
        dtype = stack.weights[0].dtype
        parts = []
        for start in range(0, len(self.x_validation), most):
            x = self.x_validation[start : start + most]
            at = torch.arange(start, start + len(x), device=self.device) + self.rows.num_rows
            held = stack.look_up(at.expand(len(stack), -1))
            told = stack.encode(x.to(dtype).expand(len(stack), -1, -1)) if held is None else held
            parts.append(stack.forward(told, (), False))
        stack.compute = exact
        self._z = torch.cat(parts, dim=2).cpu()
        return self._z

    def _drop_ended(self, share: float) -> None:
        ended = sum(bool(m.ended) for m in self.members)
        if not ended or (ended < len(self.members) and ended <= share * len(self.members)):
            return
        alive = [i for i, m in enumerate(self.members) if not m.ended]
        self.members = [self.members[i] for i in alive]
        if not alive:
            return
        rows = torch.tensor(alive)
        self.stack.keep(rows)
        self.lesson.keep(rows)
        self.optimiser.keep(rows)
        self.dropout = [self.dropout[i] for i in alive]
        self.best = [b.index_select(0, rows.to(b.device)) for b in self.best]
        self._laid_out()

    def _tensors(self) -> dict[str, Tensor]:
        found = {f"weight/{i}": w for i, w in enumerate(self.stack.weights)}
        found |= {f"best/{i}": w for i, w in enumerate(self.best)}
        for k, part in enumerate(self.optimiser.moments):
            found |= {f"moment{k}/{i}": m for i, m in enumerate(part)}
        return {**found, "taken": self.optimiser.taken}

    def _counters(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "members": [asdict(m) for m in self.members]}

    def restore(self, saved: Saved) -> None:
        """Go on where a checkpoint of (at least) these networks was written."""
        before = [Member(**m) for m in saved.counters["members"]]
        place = {m.key: row for row, m in enumerate(before)}
        rows = torch.tensor([place[m.key] for m in self.members])
        self.members = [
            replace(before[row], position=m.position) for row, m in zip(rows.tolist(), self.members, strict=True)
        ]
        self.epoch = saved.epoch
        for name, mine in self._tensors().items():
            found = saved.tensors[name]
            # a wider network that has ended may have padded the others: what is cut off is zero
            mine.copy_(found if name == "taken" else corner(found.index_select(0, rows), tuple(mine.shape)))
        self._laid_out()
