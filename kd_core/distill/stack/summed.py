"""A lesson of several terms in a stack: the sum of its terms' written gradients, where all of them have one.

Legend: S students, N training rows, B rows of a batch, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from kd_core.distill.base import LOSSES, Gradient
from kd_core.distill.terms import SeveralSpec, parts_of
from kd_core.specs import SEVERAL, Choice


def name_of(lesson: Choice) -> str:
    """Name what networks of one stack have in common: the loss, or of several terms which ones."""
    return lesson.name if lesson.name != SEVERAL else "+".join(part.name for part in parts_of(lesson))


def why_apart(lesson: Choice) -> str | None:
    """Say why a lesson of several terms can't be taught in a stack, None where it can. Errors: SpecError."""
    spec = SeveralSpec.parse(lesson.settings, "the objective")
    if any(term.changes for term in spec.terms):
        return "a lesson of several terms that changes from epoch to epoch is taught network by network"
    lacking = [term.name for term in spec.terms if "gradient" not in LOSSES.get(term.name).facts]
    if lacking:
        return f"a stack adds up the terms' written gradients, and there is none of {', '.join(lacking)}"
    return None


class Summed(Gradient):
    """The sum of the gradients of terms; networks differ by the terms' settings and weights, not by which terms they have."""

    terms: tuple[type[Gradient], ...] = ()
    names: tuple[str, ...] = ()

    def __init__(
        self, specs: Sequence[SeveralSpec], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.each, self.shares, self.one = [], [], [settings for _, settings, _ in specs[0].parsed]
        for k, term in enumerate(self.terms):
            own = [spec.parsed[k] for spec in specs]
            inside = [w * weight for w, (_, _, weight) in zip(weights, own, strict=True)]
            self.each.append(term([settings for _, settings, _ in own], inside, column))
            self.shares.append(column([weight for _, _, weight in own]).view(-1))
        self._ends: dict[int, list[int]] = {}

    @classmethod
    def key(cls, spec: SeveralSpec) -> Hashable:
        return tuple(term.key(settings) for term, (_, settings, _) in zip(cls.terms, spec.parsed, strict=True))

    @classmethod
    def table(cls, z_teacher: Tensor, labels: Tensor, spec: SeveralSpec) -> Tensor:
        found = [term.table(z_teacher, labels, s) for term, (_, s, _) in zip(cls.terms, spec.parsed, strict=True)]
        return torch.cat([one.reshape(len(z_teacher), -1).to(z_teacher.dtype) for one in found], dim=1)

    def _split(self, z: Tensor, told: Tensor) -> list[Tensor]:
        """Take the terms' tables apart. A term may lay out classes and numbers differently. Shape: told (S, any, B)."""
        outputs = z.shape[1]
        if outputs not in self._ends:
            row, tables = torch.zeros(1, outputs), list(zip(self.terms, self.one, strict=True))
            for label in (torch.zeros(1, dtype=torch.int64), torch.zeros(1)):
                widths = [term.table(row, label, s).numel() for term, s in tables]
                if sum(widths) == told.shape[1]:
                    break
            self._ends[outputs] = widths
        return list(torch.split(told, self._ends[outputs], dim=1))

    def parts(self, z: Tensor, told: Tensor) -> list[Tensor]:
        """Return each term's gradient, its weight included. Shape: as `slope`."""
        return [one.slope(z, own) for one, own in zip(self.each, self._split(z, told), strict=True)]

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        first, *others = self.parts(z, told)
        for other in others:
            first = first.add_(other)
        return first

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        found = torch.zeros(len(z), dtype=z.dtype, device=z.device)
        for one, share, own in zip(self.each, self.shares, self._split(z, told), strict=True):
            found = found + share * one.losses(z, own)
        return found


def summed(lesson: Choice) -> type[Summed] | None:
    """Make the gradient of a lesson of several terms, None where a term's is not written out or the lesson changes. Errors: SpecError."""
    if why_apart(lesson) is not None:
        return None
    names = tuple(part.name for part in parts_of(lesson))
    terms: Any = tuple(LOSSES.get(name).facts["gradient"] for name in names)
    return type("SummedOfTerms", (Summed,), {"terms": terms, "names": names})
