"""A weighted bag of pieces of words: each has a short vector, a text is their weighted sum. Small, quick, and hard to beat on texts."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import MOST_TERMS, InputSpec
from kd_core.models.base import ARCHS, Array, Outputs, SizeName
from kd_core.models.reshape.units import Place, Units
from kd_core.models.short_numbers import halve
from kd_core.models.weighted_terms import WeightedTerms
from kd_core.specs import Spec, unit

# In one byte a number, with their spellings: about 30, 160, 500 KB and 2 MB.
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"terms": 1000, "width": 16},
    "small": {"terms": 4000, "width": 32},
    "base": {"terms": 7000, "width": 64},
    "large": {"terms": 14_000, "width": 128},
}

START = 0.1  # spread of the vectors at first: with .3 or 1 the first steps learn single texts by heart (banking77: .001 to .02 less)


class BagSpec(Spec):
    """Pieces of words and numbers of each: tiny 1,000 x 16, small 4,000 x 32, base 7,000 x 64, large 14,000 x 128."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    terms: int = Field(
        4000,
        ge=1,
        le=MOST_TERMS,
        description="Pieces of words that are known, where no size is named: those of most texts.",
        json_schema_extra=unit("pieces"),
    )
    width: int = Field(
        32, ge=1, le=1024, description="Numbers per piece, where no size is named.", json_schema_extra=unit("units")
    )
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )
    silenced: float = Field(
        0.3,
        ge=0,
        le=0.8,
        description="Share of a text's pieces left out at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Bag(nn.Module):
    """The sum of the vectors of a text's pieces, rare ones weighing more, and a linear layer.

    Shape: x (N, L) weighted terms -> logits (N, C), features (N, D). Source: bags of tricks arXiv:1607.01759.
    """

    def __init__(self, spec: BagSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"terms": spec.terms, "width": spec.width}
        self.bag = WeightedTerms(inputs, shape["terms"], shape["width"], START, spec.silenced)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(shape["width"], num_outputs)

    def forward(self, x_NL: Tensor) -> Outputs:
        features = self.bag(x_NL)
        return Outputs(self.head(self.dropout(features)), features)

    def shorten(self, x_NL: Array) -> None:
        """Round what was learned: vectors to one byte a number, the rest to float16."""
        self.bag.shorten()
        halve(self.head.parameters())

    def units(self) -> tuple[Units, ...]:
        """Name the columns of the vectors."""
        width = self.head.in_features
        places = Place.every("bag.vectors", 1, width), Place.every("head.weight", 1, width)
        return (Units("bag", "columns", (places,)),)

    def reads(self) -> int:
        """Count the pieces that are read."""
        return self.bag.terms


@ARCHS.register(
    "bag",
    title="Weighted bag",
    spec=BagSpec,
    source="arXiv:1607.01759",
    roles=("student", "teacher"),
    takes=("ngrams",),
    presets=PRESETS,
    apart="each step leaves out pieces of its own texts, so that networks share no rows and no masks of one shape",
    candidates={"small": 5, "tiny": 15, "base": 25, "large": 55},
)
def build(spec: BagSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a weighted bag of pieces of words."""
    return Bag(spec, inputs, num_outputs)
