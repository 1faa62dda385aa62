"""What every distillation loss is, and how it joins the hard-label loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field
from torch import Tensor

from kd_core.models.base import Outputs
from kd_core.registry import Registry
from kd_core.specs import Spec, unit


def share(default: float) -> Any:
    """Return the field `alpha` of a loss's settings with a default of its own."""
    return Field(
        default,
        ge=0,
        le=1,
        description="Share of the lesson that comes from the teacher; 0 is the baseline, 1 ignores the labels.",
        json_schema_extra=unit("0..1"),
    )


class WholeSpec(Spec):
    """Settings of a loss that is the whole lesson: it leaves no share to the labels, so there is no alpha."""

    def weights(self) -> tuple[float, float]:
        """(weight of the hard-label loss, weight of the soft term)."""
        return 0.0, 1.0

    def at(self, epoch: int, planned: int) -> Self:
        """Return the settings of an epoch, counted from 1, of so many planned ones: these, where nothing changes."""
        return self


class LossSpec(WholeSpec):
    """Settings every other distillation loss has: how much of the lesson is soft."""

    alpha: float = share(0.7)

    def weights(self) -> tuple[float, float]:
        """(weight of the hard-label loss, weight of the soft term)."""
        return 1.0 - self.alpha, self.alpha


def strength(default: float, recipe: str) -> Any:
    """Return the field `weight` of a loss's settings; `recipe` ends its help: what was published."""
    return Field(
        default,
        ge=0.1,
        le=100_000,
        description=f"Multiplies the teacher's term beside alpha: (1 - alpha) x labels + alpha x weight x term; {recipe}.",
        json_schema_extra=unit("times", log=True, advanced=True),
    )


class WeightedSpec(LossSpec):
    """Settings of a loss whose published recipe gives its term a weight: with the default alpha, its proportion to the labels."""

    weight: float = strength(1.0, "1 leaves it to alpha alone")

    def weights(self) -> tuple[float, float]:
        """(weight of the hard-label loss, weight of the soft term)."""
        return 1.0 - self.alpha, self.alpha * self.weight


# fn(student, teacher, labels, spec[, module]) -> scalar soft term, T**2 included, before its weight.
# The teacher side holds answers only (no module, no gradient); labels are classes or scaled targets.
LossFunction = Callable[..., Tensor]


def partly_known(z_teacher: Tensor) -> Tensor | None:
    """Say which rows a teacher answered; None where it answered all. Shape: (N, C), NaN where not answered -> (N,) bool."""
    known = ~z_teacher[:, 0].isnan()
    return None if bool(known.all()) else known


def soft_term(
    loss: LossFunction, student: Outputs, teacher: Outputs, labels: Tensor, known: Tensor | None, *more: Any
) -> Tensor:
    """Compute a loss over the rows that the teacher answered (all: None), as a share of the mean over all rows.

    `more`: the loss's settings, and its module where it has one. Shape: labels and known (B,).
    """
    if known is None:
        return loss(student, teacher, labels, *more)
    at = known.nonzero().squeeze(1)
    if not len(at):
        return student.logits.sum() * 0.0
    found: Tensor = loss(student.rows(at), teacher.rows(at), labels[at], *more) * (len(at) / len(known))
    return found


class Gradient(ABC):
    """A loss's derivative by the logits, written out: the fact `gradient` of a registered loss.

    For many students at once, each with its own settings.
    `hard`: settings under which the loss against right answers, in the place of the teacher's, is the hard loss of class `hard_loss`.
    Legend: S students, N training rows, B rows of a batch, C outputs.
    """

    hard: ClassVar[LossSpec | None] = None
    hard_loss: ClassVar[type | None] = None

    @abstractmethod
    def __init__(
        self, specs: Sequence[Any], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        """Take the students' settings and the weights of their soft terms; `column` lays numbers out as (S, 1, 1)."""

    @staticmethod
    def key(spec: Any) -> Hashable:
        """Name the settings that decide `table`: students with equal ones share it."""
        return None

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: Any) -> Tensor:
        """Compute what the teacher and the labels contribute, once for all rows. Shape: (N, C), (N,) -> (N, any)."""
        return z_teacher

    @abstractmethod
    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        """Return weight x d loss / d z of the mean over rows; z stays as it is. Shape: z and the table's rows (S, C, B)."""

    @abstractmethod
    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        """Return each student's loss before its weight. Shape: z and the table's rows (S, C, B) -> (S,)."""


class CooledGradient(Gradient):
    """One whose students' logits are divided by a temperature of their own, with a slope of weight T times a difference of shares."""

    def __init__(
        self, specs: Sequence[Any], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.cooled = column([1.0 / s.temperature for s in specs])
        self.step = column([w * s.temperature for w, s in zip(weights, specs, strict=True)])

    @staticmethod
    def key(spec: Any) -> float:
        return float(spec.temperature)


# facts: reference=function(student, teacher, labels, spec[, weights]) -> the paper's formula in numpy float64 on arrays (`weights`:
# the module's, by name), with which the laws compare; gradient=a `Gradient`; soft_labels=True where the teacher is heard through
# softened classes; formula=the term in LaTeX without its weight, about=one paragraph for who chooses it (plain words, no markup), both
# shown beside it on a form; module=function(spec, student, teacher) -> nn.Module for the widths of these outputs: the loss gets it as its
# fifth, it is trained together with the student, kept in checkpoints and dropped afterwards; because={need: reason}: why this loss
# has a need, in words that stand in the place of the general ones.
# reuses_head=True where the module's answers stand in the teacher's feature space and the student answers by the teacher's last layer
# over them (`inner/heads.py`): all terms of the lesson then hear these answers, and the two are one layer of the student in the end.
# tempered=True where the gradient keeps its size as the temperature moves; held=True where the reference also takes what is held
# fixed in the derivative (`held`).
# What a loss claims, and the laws hold it to; the first is declared as one of two:
#   row_mean=True: the mean over rows of what each row gives by itself; or else
#   doubled=factor, or (least, most): what the loss is multiplied by when every row of a batch stands in it twice
#   zero_at_equality=True or False: 0 where the student gives just what the teacher gives, and nowhere less
#   shift_invariant=True or False: a number added to all logits of a row, the student's or the teacher's, changes nothing
LOSSES: Registry[LossFunction] = Registry("loss")
