"""DIST: the student ranks as the teacher does, within each row and within each class, whatever the sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from kd_core.distill.base import LOSSES, Gradient, WeightedSpec, share, strength
from kd_core.evaluate.soft_labels import soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION

# Shares that (almost) do not vary have no correlation: below this length they are divided by this instead of by their own, near 0.
LEAST = 1e-5


class DISTSpec(WeightedSpec):
    """Settings of DIST; alpha 0.5 with weight 2 is the paper's 1 for the labels and 2 for the teacher."""

    alpha: float = share(0.5)
    weight: float = strength(2.0, "the paper's 1 and 2 are alpha 0.5 and weight 2")
    temperature: float = Field(
        1.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; the paper takes 1, and 4 for small pictures.",
        json_schema_extra=unit("divides the logits", log=True),
    )
    beta: float = Field(
        1.0,
        ge=0,
        le=20,
        description="How much it counts that every row ranks its classes as the teacher does.",
        json_schema_extra=unit("times", advanced=True),
    )
    gamma: float = Field(
        1.0,
        ge=0,
        le=20,
        description="How much it counts that every class ranks the rows of a batch as the teacher does.",
        json_schema_extra=unit("times", advanced=True),
    )


def units(p: Tensor, dim: int) -> Tensor:
    """Bring shares to mean 0 and length 1 along a dimension: their products are Pearson's correlations. Shape: as p."""
    return functional.normalize(p - p.mean(dim, keepdim=True), dim=dim, eps=LEAST)


class DISTGradient(Gradient):
    """weight T² (beta mean(1 - rows' correlation) + gamma mean(1 - columns' correlation)), through the softmax.

    For shares a and b around their means, of lengths n and m, the slope of their correlation r by a is b / (n m) - r a / n².
    """

    def __init__(
        self, specs: Sequence[DISTSpec], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.cooled = column([1.0 / s.temperature for s in specs])
        self.step = column([w * s.temperature for w, s in zip(weights, specs, strict=True)])
        self.beta, self.gamma = column([s.beta for s in specs]), column([s.gamma for s in specs])

    @staticmethod
    def key(spec: DISTSpec) -> float:
        return spec.temperature

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: DISTSpec) -> Tensor:
        return torch.softmax(z_teacher / spec.temperature, dim=1)

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        p, told = torch.softmax(z * self.cooled, dim=1), told.contiguous()
        d = torch.zeros_like(p)
        for dim, weight in ((1, self.beta * self.step / z.shape[2]), (2, self.gamma * self.step / z.shape[1])):
            (own, n), (theirs, m) = _around(p, dim), _around(told, dim)
            curbed = functional.threshold(n, LEAST, torch.inf)  # no curve where the length is held at the least
            n, m = n.clamp_min_(LEAST), m.clamp_min_(LEAST)
            d.addcmul_(theirs, (weight / m).div_(n), value=-1.0)
            d.addcmul_(own, (own * theirs).sum(dim, keepdim=True).mul_(weight).div_(m).div_(n).div_(n).div_(curbed))
        d.mul_(p)
        return d.addcmul_(p, d.sum(1, keepdim=True), value=-1.0)

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        p = torch.softmax(z * self.cooled, dim=1)
        within, across = (1.0 - (units(p, d) * units(told, d)).sum(d).mean(1) for d in (1, 2))
        return (self.beta.view(-1) * within + self.gamma.view(-1) * across) / self.cooled.view(-1).square()


def _around(p: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return shares less their mean, and their length. Classes lie along dimension 1, where the mean is 1 / C and torch's norm is slow."""
    if dim == 1:
        own = p - 1.0 / p.shape[1]
        return own, (own * own).sum(1, keepdim=True).sqrt_()
    own = p - p.mean(dim, keepdim=True)
    return own, torch.linalg.vector_norm(own, dim=dim, keepdim=True)


def reference(student: Any, teacher: Any, labels: Any, spec: DISTSpec) -> Any:
    """T² (beta mean(1 - Pearson of rows) + gamma mean(1 - Pearson of columns)). Source: arXiv:2205.10536, section 3."""
    p, q = soften(student.logits, spec.temperature), soften(teacher.logits, spec.temperature)

    def apart(a: Any, b: Any) -> Any:
        a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
        lengths = (np.maximum(np.sqrt((v**2).sum(1)), LEAST) for v in (a, b))
        return (1 - (a * b).sum(1) / np.prod(list(lengths), axis=0)).mean()

    return spec.temperature**2 * (spec.beta * apart(p, q) + spec.gamma * apart(p.T, q.T))


@LOSSES.register(
    "dist",
    title="Ranking of rows and classes (DIST)",
    spec=DISTSpec,
    source="arXiv:2205.10536",
    about="The student is asked for the same order and proportions as the teacher, of the classes in a row and of the rows in a class, not for the same numbers. It suits teachers that are much stronger than the student.",
    formula=r"\begin{gathered} T^2 \left[ \beta \, \overline{1 - \rho(p_{i \cdot}, q_{i \cdot})} + \gamma \, \overline{1 - \rho(p_{\cdot c}, q_{\cdot c})} \right] \\ \rho \text{ is Pearson's correlation} \end{gathered}",
    tasks=CLASSIFICATION,
    needs=("three_classes",),
    because={
        "three_classes": "needs at least 3 classes: it compares how the classes of a row correlate, and two numbers always correlate by 1 or -1"
    },
    gradient=DISTGradient,
    reference=reference,
    soft_labels=True,
    doubled=1.0,
    zero_at_equality=True,
    shift_invariant=True,
    tempered=False,
)
def dist(student: Outputs, teacher: Outputs, labels: Tensor, spec: DISTSpec) -> Tensor:
    """T² x (beta x mean of 1 - Pearson's correlation of a row's shares + gamma x the same of a class's over the batch).

    Correlation asks for the same order and proportions, not for the same numbers: helps where the teacher is much stronger. A batch
    of fewer rows than classes makes the second part noisy. The paper's T² is kept, although a correlation needs none to keep its slope.
    Shape: logits (N, C), C >= 3. Source: arXiv:2205.10536, section 3.
    """
    p = torch.softmax(student.logits / spec.temperature, dim=1)
    theirs = torch.softmax(teacher.logits / spec.temperature, dim=1)
    rows, columns = (1.0 - (units(p, d) * units(theirs, d)).sum(d).mean() for d in (1, 0))
    return (spec.beta * rows + spec.gamma * columns) * spec.temperature**2
