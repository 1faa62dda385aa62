"""A linear model on weighted pieces of words: what a text costs without any network, and hard to beat where classes are few."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import MOST_TERMS, InputSpec
from kd_core.models.base import ARCHS, Array, Outputs, SizeName
from kd_core.models.short_numbers import halve
from kd_core.models.weighted_terms import WeightedTerms
from kd_core.specs import Spec, unit

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"terms": 500},
    "small": {"terms": 2000},
    "base": {"terms": 8000},
    "large": {"terms": MOST_TERMS},
}


class TermsSpec(Spec):
    """Pieces of words, each with one number per class: tiny 500, small 2,000, base 8,000, large 40,000."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a number of one's own.")
    terms: int = Field(
        2000,
        ge=1,
        le=MOST_TERMS,
        description="Pieces of words that are known, where no size is named: those of most texts.",
        json_schema_extra=unit("pieces"),
    )


class Terms(nn.Module):
    """One number per piece and class, added up by weight. Shape: x (N, L) weighted terms -> logits (N, C); no features.

    The same form as TF-IDF with a logistic or linear regression.
    """

    def __init__(self, spec: TermsSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        terms = PRESETS[spec.size]["terms"] if spec.size else spec.terms
        self.added = WeightedTerms(inputs, terms, num_outputs, START, slowed=SLOWED)
        self.bias = nn.Parameter(torch.zeros(num_outputs))

    def forward(self, x_NL: Tensor) -> Outputs:
        return Outputs(GAIN * self.added(x_NL) + self.bias)

    def shorten(self, x_NL: Array) -> None:
        """Round what was learned: vectors to one byte a number, the rest to float16."""
        self.added.shorten()
        halve([self.bias])

    def reads(self) -> int:
        """Count the pieces that are read."""
        return self.added.terms


# A weight of a rare term must come to about 10 in the steps in which those of a network come to 1.
START, GAIN = 3e-4, 20.0
SLOWED = (
    1000  # without, 40,000 terms learn single texts by heart (10_cats, sentiment, validation: .9284, with it .9308)
)
# As a teacher it is no smaller than the linear model on TF-IDF that it stands for (10_cats, test: base .9244 and .8912, large .9311 and .8970).
TEACHING = {"size": Field("large", description="Size by name.")}


@ARCHS.register(
    "terms",
    title="Linear on weighted terms",
    spec=TermsSpec,
    roles=("student", "teacher"),
    takes=("ngrams",),
    gives=frozenset({"logits"}),
    presets=PRESETS,
    teaching=TEACHING,
    candidates={"small": 45, "base": 50},
)
def build(spec: TermsSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a linear model on weighted terms."""
    return Terms(spec, inputs, num_outputs)
