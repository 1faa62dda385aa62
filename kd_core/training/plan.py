"""What a training will do, with every 'auto' replaced by a number."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kd_core.models import ARCHS
from kd_core.specs import TrainingSpec

STEP_BUDGET = 4000  # steps of one round of an automatic plan: 1-2 s for a small network on one core
ROUNDS = 6  # of an automatic plan at most; see `ending`
MIN_EPOCHS, MAX_EPOCHS = 12, 200  # fewer passes underfit large tables, more only repeat small ones
MIN_BATCH, MAX_BATCH = 128, 1024  # below: dispatch dominates; above: too few steps per pass
BATCHES_PER_EPOCH = 64  # the automatic batch size aims at this many steps per pass
FEW_BATCHES, SMALLEST_BATCH = 16, 16  # a table too small for this many full batches gets smaller ones
MIN_PATIENCE, PATIENCE_STEPS = 12, 250  # epochs; steps: 12 passes of a tiny table are too few to learn anything


@dataclass(frozen=True)
class TrainingPlan:
    """How one training runs. Units: epochs of a round, rows, step size per step.

    `rounds`: how many there are at most; the step size falls anew in each.
    """

    epochs: int
    batch_size: int
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    optimiser: Literal["adamw", "sgd"] = "adamw"
    schedule: Literal["cosine", "constant"] = "cosine"
    patience: int = 12
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    rounds: int = 1

    @property
    def most_epochs(self) -> int:
        """Count the epochs of all rounds: the budget, the same for every arm."""
        return self.epochs * self.rounds

    def planned_end(self, epoch: int) -> int:
        """Return the last epoch of the round that an epoch (from 1) is in: where training ends unless it still gains."""
        return -(-max(1, epoch) // self.epochs) * self.epochs

    def steps_per_epoch(self, num_rows: int) -> int:
        """Count the batches of one pass; a single left-over row joins the batch before it."""
        full, left = divmod(num_rows, self.batch_size)
        return full + (left > 1) if full else 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def steps_of(self) -> dict[str, Any]:
        """Return what decides the steps, by which checkpoints are known; how many rounds there may be does not."""
        return {name: value for name, value in self.to_dict().items() if name != "rounds"}


def resolve(spec: TrainingSpec, num_rows: int, arch: str | None = None) -> TrainingPlan:
    """Fill what is 'auto' from the number of training rows; students and baselines get the same plan.

    Epochs that were asked for are all there are; automatic ones are those of a round. `arch`: a network whose work
    grows with the rows says by its fact `batch` how many of them a step has at most, where they are not asked for, and by `rate` how many times as
    large steps suit it.

    Example:
        >>> plan = resolve(TrainingSpec(), 8400)
        >>> plan.batch_size, plan.epochs
        (128, 60)
    """
    facts = {} if arch is None else ARCHS.get(arch).facts
    most = int(facts.get("batch", MAX_BATCH))
    least = min(MIN_BATCH, max(SMALLEST_BATCH, _power_of_two(num_rows / FEW_BATCHES)))
    batch = spec.batch_size or min(most, max(least, _power_of_two(num_rows / BATCHES_PER_EPOCH)))
    steps = max(1, math.ceil(num_rows / batch))
    epochs = spec.epochs or min(MAX_EPOCHS, max(MIN_EPOCHS, STEP_BUDGET // steps))
    patience = spec.patience or max(MIN_PATIENCE, math.ceil(PATIENCE_STEPS / steps))
    return TrainingPlan(
        epochs=epochs,
        batch_size=batch,
        learning_rate=spec.learning_rate * (1.0 if arch is None else times(arch)),
        weight_decay=spec.weight_decay,
        optimiser=spec.optimiser,
        schedule=spec.schedule,
        patience=patience,
        precision=spec.precision,
        rounds=1 if spec.epochs else ROUNDS,
    )


def times(arch: str) -> float:
    """Say how many times as large steps as were asked for suit an architecture."""
    return float(ARCHS.get(arch).facts.get("rate", 1.0))


def _power_of_two(size: float) -> int:
    """Round to the nearest power of two, at least 1."""
    return int(2 ** round(math.log2(max(1.0, size))))
