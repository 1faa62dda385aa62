"""A few small boosted trees: quick to train and to ask, and strong where a table's columns act by thresholds."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from torch import nn

from kd_core.data.input_spec import COLUMNS, TABLE, InputSpec
from kd_core.models import boosting
from kd_core.models.base import ARCHS, Array, Pull, SizeName
from kd_core.models.shape import NamingSpec
from kd_core.models.tree_ensemble import Tree, TreeEnsemble, one_answer, trees_of_a_round
from kd_core.specs import unit

# Bytes of the ONNX file behind what reads a row (2 to 5 KB), for two classes or a number: at most 5, 9, 31 and 88 KB, so that with it
# they come near to 10, 15, 40 and 100 KB. From three classes on each class costs as much.
PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"trees": 26, "leaves": 11},
    "small": {"trees": 36, "leaves": 15},
    "base": {"trees": 58, "leaves": 31},
    "large": {"trees": 165, "leaves": 31},
}


class TreesSpec(NamingSpec):
    """Boosted trees: tiny 26 of 11 leaves, small 36 of 15, base 58 and large 165 of 31, all at most.

    A student keeps the rounds up to the one that is best on validation rows: a larger size can end as the smaller file.
    They learn round by round on all rows at once: epochs, batch size, step size and weight decay of the training are not theirs.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for 36 trees of 15 leaves, or your own.")
    trees: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Rounds; each grows one tree, or one per class where there are three or more. Taken from the size when empty.",
        json_schema_extra=unit("trees"),
    )
    leaves: int | None = Field(
        None,
        ge=2,
        le=256,
        description="Leaves per tree at most; taken from the size when empty.",
        json_schema_extra=unit("leaves"),
    )
    learning_rate: float = Field(
        0.2, gt=0, le=1, description="Share of each tree's answer that is used.", json_schema_extra=unit("share")
    )
    leaf_rows: int = Field(
        20, ge=1, le=100_000, description="Rows per leaf at least.", json_schema_extra=unit("rows", advanced=True)
    )
    row_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share of the rows that each round sees, drawn anew.",
        json_schema_extra=unit("share", advanced=True),
    )
    feature_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share of the columns that each tree may split by, drawn anew.",
        json_schema_extra=unit("share", advanced=True),
    )

    def shape(self) -> tuple[int, int]:
        """(rounds, leaves) after the preset is filled in."""
        preset = PRESETS[self.size or "small"]
        return self.trees or preset["trees"], self.leaves or preset["leaves"]


class Boosting:
    """LightGBM, asked round by round with the lesson's own gradients. Legend: N rows, C outputs, K trees of a round."""

    def __init__(
        self, spec: TreesSpec, x: Array, x_validation: Array, start: Array, seed: int, apart: bool = False
    ) -> None:
        """Take the rows and what they start from; `apart`: every output answers a question of its own."""
        lightgbm = boosting.load()
        self.most, _ = spec.shape()
        self.num_outputs = len(start)
        self.apart, self.of_a_round = apart, trees_of_a_round(self.num_outputs, apart)
        # Two outputs are two classes, unless told otherwise: the answer is the second's lead over the first.
        self.paired = self.num_outputs == 2 and not apart
        self.start = np.array([start[1] - start[0]] if self.paired else start, dtype=np.float64)
        settings = {
            **boosting.REPEATABLE,
            "objective": "none",
            "metric": "None",
            "num_class": self.of_a_round,
            "num_leaves": spec.shape()[1],
            "learning_rate": spec.learning_rate,
            "min_data_in_leaf": spec.leaf_rows,
            "bagging_fraction": spec.row_share,
            "bagging_freq": 1,
            "feature_fraction": spec.feature_share,
            "seed": seed % boosting.SEEDS,
        }
        train = lightgbm.Dataset(x, np.zeros(len(x)), init_score=self._begun(len(x)), params=settings)
        others = len(x_validation)
        validation = train.create_valid(x_validation, np.zeros(others), init_score=self._begun(others))
        train.construct()
        self.rows = len(x), len(x_validation)
        # Columns of one value, or too few rows to tell values apart: LightGBM would end with an error.
        self.divides = any(train.feature_num_bin(column) > 1 for column in range(x.shape[1]))
        self.booster = lightgbm.Booster(settings, train)
        self.booster.add_valid(validation, "validation")

    def _begun(self, rows: int) -> Array:
        return np.repeat(self.start[None], rows, axis=0) if self.of_a_round > 1 else np.full(rows, self.start[0])

    def step(self, pull: Pull) -> bool:
        """Grow the trees of a round; False when no leaf can be divided."""

        def slopes(z: Array, rows: Any) -> tuple[Array, Array]:
            gradient, curvature = pull(self._logits(z), self.num_outputs - self.of_a_round)
            if self.of_a_round == 1:
                return gradient.reshape(-1), curvature.reshape(-1)
            if self.apart:
                return gradient, curvature
            # As LightGBM does for several classes, whose logits move together. Source: Friedman 2001, algorithm 6.
            return gradient, curvature * (self.num_outputs / (self.num_outputs - 1))

        return self.divides and not self.booster.update(fobj=slopes)

    def _logits(self, z: Array) -> Array:
        if self.paired:
            return np.stack([np.zeros_like(z), z], axis=1).astype(np.float32)
        return z.reshape(len(z), self.num_outputs).astype(np.float32)

    def answers(self) -> tuple[Array, Array]:
        """Return logits after the rounds so far; LightGBM keeps the sums, so nothing is added up again."""
        if not self.divides:
            first, second = (self._logits(self._begun(rows)) for rows in self.rows)
            return first, second
        found: list[Array] = []

        def keep(z: Array, rows: Any) -> tuple[str, float, bool]:
            found.append(self._logits(z))
            return "kept", 0.0, True

        self.booster.eval_train(keep)
        self.booster.eval_valid(keep)
        return found[0], found[1]

    def fill(self, module: nn.Module, rounds: int) -> None:
        """Write the first rounds into the module; what all rows start from is part of the first trees, as in LightGBM."""
        assert isinstance(module, TreeEnsemble)
        trees = boosting.read_trees(self.booster, rounds) if self.divides else [one_answer(0.0)] * self.of_a_round
        for k in range(self.of_a_round):
            trees[k] = Tree(**{**vars(trees[k]), "value": trees[k].value + self.start[k]})
        module.fill(trees)


def file_bytes(spec: TreesSpec, num_outputs: int) -> int:
    """Tell the most that the trees take in the ONNX file. Units: bytes."""
    rounds, leaves = spec.shape()
    return round(17.7 * rounds * trees_of_a_round(num_outputs) * leaves)


def seconds(spec: TreesSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one training: the columns' histograms, then trees, and answers to score after each round."""
    rounds, leaves = spec.shape()
    tree: float = rows * (6e-9 * features * leaves**0.5 + 5e-8)
    return 0.05 + rounds * (1e-3 + trees_of_a_round(outputs) * tree)


@ARCHS.register(
    "trees",
    title="Boosted trees",
    spec=TreesSpec,
    source="LightGBM, Ke et al. 2017",
    roles=("student",),
    not_both="the teacher `lightgbm` grows as many as it needs",
    takes=(COLUMNS, TABLE),
    gives=frozenset({"logits"}),
    presets=PRESETS,
    candidates={"small": 20, "tiny": 40, "base": 70, "large": 110},
    fits=Boosting,
    flops=TreeEnsemble.flops,
    file_bytes=file_bytes,
    least={"trees": 1, "leaves": 2},
    seconds=seconds,
)
def build(spec: TreesSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build the places of trees that are yet to be grown."""
    rounds, leaves = spec.shape()
    return TreeEnsemble(inputs.width, rounds, leaves, num_outputs)
