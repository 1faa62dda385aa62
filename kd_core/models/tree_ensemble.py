"""Trees that add up their answers, as one module: what was learned lies in arrays, and a file of it holds no code.

Legend: N rows, F columns, T trees, L leaves of a tree at most, K trees of a round, C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kd_core.models.base import Outputs
from kd_core.models.short_numbers import shortest_between, step_of
from kd_core.task import TargetKind

if TYPE_CHECKING:
    import onnx

NUMBERS_AT_ONCE = 2**20  # rows times places of splits and leaves of one pass: 8 MB an array
FEW_SPLITS = 64  # of a tree: all are asked at once; from there on only those that a row meets
TRYING_ROWS = 64
FIT_ROWS = 20_000  # rows that the spread of the answers is taken from
ROUNDED = 1e-3  # of that spread: what rounding all leaves may move an answer by, as a standard deviation
OPSET, ML_OPSET, IR = (
    21,
    5,
    10,
)  # ai.onnx.ml 5 has TreeEnsemble, whose file takes 0.4 of the older operation's, at the same speed


@dataclass(frozen=True)
class Tree:
    """One tree of S splits and S + 1 leaves. A child of 0 or more is a split, one below 0 the leaf `~child`; the first split is the root.

    A row goes left where its value is at most the threshold, or missing and `missing_left`. Without splits it is its one leaf.
    """

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


def one_answer(value: float) -> Tree:
    """Make a tree without splits."""
    none = np.empty(0, dtype=np.int64)
    return Tree(none, none.astype(np.float32), none.astype(np.bool_), none, none, np.array([value], dtype=np.float64))


def trees_of_a_round(num_outputs: int, apart: bool = False) -> int:
    """Count the trees of one round: one per output, a single one for two classes, of which only the difference counts.

    `apart`: outputs are no classes of one answer.
    """
    return 1 if num_outputs <= 2 and not apart else num_outputs


def float32_below(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the largest float32 that is not above a threshold: every float32 is on the same side of both.

    Proof: x <= t means that x is one of the float32 up to t, so at most the largest of them; and that one is <= t itself.
    """
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
        return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


@dataclass(frozen=True)
class _Walk:
    """Places that trees lead to: of T trees first all leaves, which lead to themselves, then all splits. Legend: S splits of all trees."""

    feature: Tensor  # (S,)
    missing_left: Tensor | None  # (S,); None where it is nowhere asked for
    left: Tensor  # (S,)
    right: Tensor  # (S,)
    leaves: Tensor  # (1, leaves)
    roots: Tensor  # (1, T)
    depth: int  # steps until every row stands at a leaf

    @classmethod
    def of(cls, feature: Tensor, missing_left: Tensor, left: Tensor, right: Tensor) -> _Walk:
        """Number the places. Shape: (T, splits of a tree at most) each."""
        trees, splits = feature.shape
        leaves, device = trees * (splits + 1), feature.device
        tree = torch.arange(trees, device=device)[:, None]

        def placed(child: Tensor) -> Tensor:
            child = child.long()
            return torch.where(child < 0, tree * (splits + 1) + ~child, leaves + tree * splits + child).flatten()

        to_left, to_right = placed(left), placed(right)
        roots = leaves + tree * splits
        stand, depth = roots.flatten(), 0
        while depth < splits and len(stand := stand[stand >= leaves]):
            stand, depth = torch.cat([to_left[stand - leaves], to_right[stand - leaves]]).unique(), depth + 1  # type: ignore[no-untyped-call]
        asked = missing_left.flatten() if bool(missing_left.any()) else None
        own = torch.arange(leaves, device=device)[None]
        return cls(feature.flatten().long(), asked, to_left, to_right, own, roots.T, depth)


class TreeEnsemble(nn.Module):
    """Sum of trees, `num_rounds` rounds of one tree per output; places of trees and leaves that are not used hold 0.

    Shape: x (N, F), NaN where a value is missing -> logits (N, C). With two outputs the first is always 0: a softmax sees the difference;
    unless they answer two questions (`combine`).
    """

    feature: Tensor
    missing_left: Tensor
    left: Tensor
    right: Tensor

    def __init__(self, num_inputs: int, num_rounds: int, leaves: int, num_outputs: int) -> None:
        super().__init__()
        self.num_inputs, self.num_outputs, self.leaves = num_inputs, num_outputs, leaves
        self.num_rounds = num_rounds
        self._places(trees_of_a_round(num_outputs))

    def combine(self, kinds: Sequence[tuple[TargetKind, tuple[int, ...]]]) -> None:
        """Give each of two outputs trees of its own where they are no classes of one answer; nothing has been learned yet."""
        own = trees_of_a_round(self.num_outputs, [kind for kind, _ in kinds] != ["classes"])
        if own != self.of_a_round:
            self._places(own)

    def _places(self, of_a_round: int) -> None:
        """Make room for so many trees a round."""
        self.of_a_round, num_inputs, leaves = of_a_round, self.num_inputs, self.leaves
        trees, splits = self.num_rounds * of_a_round, leaves - 1
        narrow = num_inputs <= torch.iinfo(torch.int16).max
        columns = torch.zeros(trees, splits, dtype=torch.int16 if narrow else torch.int32)
        self.register_buffer("feature", columns)
        self.register_buffer("missing_left", torch.zeros(trees, splits, dtype=torch.bool))
        # Both children of a split that is not used are leaf 0, so that an unused tree is its first leaf.
        self.register_buffer("left", torch.full((trees, splits), -1, dtype=torch.int16))
        self.register_buffer("right", torch.full((trees, splits), -1, dtype=torch.int16))
        # Parameters, as they are numbers that are learned; but not by a gradient.
        self.threshold = nn.Parameter(torch.zeros(trees, splits), requires_grad=False)
        self.value = nn.Parameter(torch.zeros(trees, leaves), requires_grad=False)
        self.rows_at_once = max(1, NUMBERS_AT_ONCE // (trees * (leaves + splits if splits <= FEW_SPLITS else 1)))
        self._walked: tuple[Any, _Walk] | None = None

    def forward(self, x_NF: Tensor) -> Outputs:
        walk = self._walk()
        if self.feature.shape[1] <= FEW_SPLITS:
            at_NT = self._all_at_once(x_NF, walk)
        else:
            at_NT = walk.roots.expand(len(x_NF), -1)
            for _ in range(walk.depth):
                at_NT = self._one_step(x_NF, at_NT, walk)
        # In float64, as hundreds of small numbers are added up.
        picked_NT = self.value.flatten().take(at_NT).double()
        z_NK = picked_NT.view(len(x_NF), -1, self.of_a_round).sum(dim=1).float()
        return Outputs(torch.cat([torch.zeros_like(z_NK), z_NK], dim=1) if self.num_outputs > z_NK.shape[1] else z_NK)

    def _all_at_once(self, x_NF: Tensor, walk: _Walk) -> Tensor:
        """Ask all splits: a few operations on many numbers take a row less than many on a few. Shape: (N, F) -> places (N, T)."""
        seen_NS = x_NF.index_select(1, walk.feature)
        left_NS = seen_NS <= self.threshold.flatten()
        if walk.missing_left is not None:
            left_NS |= seen_NS.isnan() & walk.missing_left
        next_NP = torch.cat([walk.leaves.expand(len(x_NF), -1), torch.where(left_NS, walk.left, walk.right)], dim=1)
        at_NT = walk.roots.expand(len(x_NF), -1)
        for _ in range(walk.depth):
            at_NT = next_NP.gather(1, at_NT)
        return at_NT

    def _one_step(self, x_NF: Tensor, at_NT: Tensor, walk: _Walk) -> Tensor:
        """Go on where a row stands at a split. Shape: places (N, T) -> (N, T)."""
        split_NT = (at_NT - self.value.numel()).clamp(min=0)
        seen_NT = x_NF.gather(1, walk.feature.take(split_NT))
        left_NT = seen_NT <= self.threshold.flatten().take(split_NT)
        if walk.missing_left is not None:
            left_NT |= seen_NT.isnan() & walk.missing_left.take(split_NT)
        to_NT = torch.where(left_NT, walk.left.take(split_NT), walk.right.take(split_NT))
        return torch.where(at_NT < self.value.numel(), at_NT, to_NT)

    def _walk(self) -> _Walk:
        """Return where the trees lead, found again when they are others, or lie elsewhere."""
        held = (self.feature, self.missing_left, self.left, self.right)
        state = tuple((one.data_ptr(), one._version) for one in held)
        if self._walked is None or self._walked[0] != state:
            self._walked = state, _Walk.of(*held)
        return self._walked[1]

    def flops(self) -> int:
        """Count the comparisons and additions of one row in trees whose leaves are equally deep."""
        return len(self.feature) * ((self.leaves - 1).bit_length() + 1)

    @torch.no_grad()
    def fill(self, trees: list[Tree]) -> None:
        """Take trees in the order of their rounds; places beyond them are emptied."""
        for name, empty in (
            ("feature", 0),
            ("missing_left", 0),
            ("left", -1),
            ("right", -1),
            ("threshold", 0),
            ("value", 0),
        ):
            getattr(self, name).fill_(empty)
        for t, tree in enumerate(trees):
            for name in ("feature", "missing_left", "left", "right", "threshold", "value"):
                learned = torch.from_numpy(getattr(tree, name))
                getattr(self, name)[t, : len(learned)] = learned.to(getattr(self, name).dtype)

    @torch.no_grad()
    def shorten(self, x_NF: npt.NDArray[Any]) -> None:
        """Move thresholds to the shortest number between the same two values of the rows, and round leaves to one step for all.

        No row changes side at any split. Leaves: see `ROUNDED`. Shape: x (N, F), NaN where a value is missing.
        """
        feature, threshold = self.feature.numpy(), self.threshold.numpy()
        for column in np.unique(feature):
            values = np.unique(x_NF[:, column])  # NaN comes last, once
            own = feature == column
            threshold[own] = shortest_between(threshold[own], values[~np.isnan(values)])
        some = np.ascontiguousarray(x_NF[:: 1 + len(x_NF) // FIT_ROWS], dtype=np.float32)
        spread = float(self(torch.from_numpy(some)).logits.std(dim=0, correction=0).max())
        rounds = max(1, max(map(len, self.trees())))
        if step := step_of(ROUNDED * spread, rounds):
            self.value.copy_((self.value / step).round() * step)

    def trees(self) -> list[list[Tree]]:
        """Return what can be reached, per round position: the trees of each output's own column, those that are always 0 left out.

        Shape: K lists of trees.
        """
        parts = {name: t.detach().cpu().numpy() for name, t in self.state_dict().items()}
        found: list[list[Tree]] = [[] for _ in range(self.of_a_round)]
        for t in range(len(parts["feature"])):
            own = {name: part[t] for name, part in parts.items()}
            tree = _reached(own)
            if len(tree.feature) or tree.value[0]:
                found[t % self.of_a_round].append(tree)
        return found

    def onnx_model(self) -> onnx.ModelProto:
        """Write the trees that are used as one operation of ONNX. Shape: `x` (N, F) float32 -> `logits` (N, C)."""
        from onnx import TensorProto, helper

        node = tree_node(self.trees(), self.num_outputs, "x", "logits")
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", self.num_inputs])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", self.num_outputs])
        graph = helper.make_graph([node], "trees", [x], [logits])
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR)

    def trying_rows(self) -> npt.NDArray[np.float32]:
        """Return rows of thresholds, their nearest neighbours, zeros of both signs, infinities and missing values. Shape: (R, F)."""
        rng = np.random.default_rng(0)
        rows = rng.standard_normal((TRYING_ROWS, self.num_inputs)).astype(np.float32)
        met: dict[int, list[np.float32]] = {}
        for tree in (tree for column in self.trees() for tree in column):
            for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
                met.setdefault(int(feature), []).append(threshold)
        odd = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype=np.float32)
        for feature, thresholds in met.items():
            at = np.array(thresholds, dtype=np.float32)
            near = [np.nextafter(at, np.float32(way)) for way in (-np.inf, np.inf)]
            rows[:, feature] = rng.choice(
                np.concatenate([at, at, *near, np.repeat(odd, 1 + len(at) // 5)]), TRYING_ROWS
            )
        return rows


def _reached(own: dict[str, npt.NDArray[np.generic]]) -> Tree:
    """Take a tree out of its padded places: its splits and leaves in the order in which they are met from the root."""
    left, right = own["left"].astype(np.int64), own["right"].astype(np.int64)
    value = own["value"].astype(np.float64)
    if left[0] == right[0] == -1:
        return one_answer(float(value[0]))
    splits: list[int] = [0]
    leaves: list[int] = []
    for split in splits:  # grows while it is read
        for child in (left[split], right[split]):
            (splits if child >= 0 else leaves).append(child if child >= 0 else ~child)
    new_split, new_leaf = {int(s): i for i, s in enumerate(splits)}, {int(s): i for i, s in enumerate(leaves)}

    def renamed(children: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.array([new_split[int(c)] if c >= 0 else ~new_leaf[int(~c)] for c in children[splits]], dtype=np.int64)

    return Tree(
        own["feature"][splits].astype(np.int64),
        own["threshold"][splits].astype(np.float32),
        own["missing_left"][splits].astype(np.bool_),
        renamed(left),
        renamed(right),
        value[leaves],
    )


def tree_node(columns: list[list[Tree]], num_outputs: int, source: str, name: str) -> onnx.NodeProto:
    """Write trees as one TreeEnsemble operation. Shape: K lists of trees, one for each output; one list for the second of two outputs.

    Trees without splits are added to the leaves of another one; where an output has no other, they become a split of equal leaves.
    Source: onnx, operators of ai.onnx.ml, TreeEnsemble-5.
    """
    from onnx import helper, numpy_helper

    split: dict[str, list[int]] = {
        n: [] for n in ("featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs")
    }
    targets: list[int] = []
    roots: list[int] = []
    thresholds: list[np.float32] = []
    missing: list[int] = []
    weights: list[np.float32] = []
    for output, trees in enumerate(columns, start=num_outputs - len(columns)):
        constant = float(sum(tree.value[0] for tree in trees if not len(tree.feature)))
        grown = [tree for tree in trees if len(tree.feature)]
        if not grown:
            never = np.array([-1]), np.array([-2])
            grown = [Tree(np.zeros(1, np.int64), np.zeros(1, np.float32), np.zeros(1, bool), *never, np.zeros(2))]
        for i, tree in enumerate(grown):
            first_split, first_leaf = len(thresholds), len(weights)
            roots.append(first_split)
            split["featureids"] += tree.feature.tolist()
            thresholds += tree.threshold.tolist()
            missing += tree.missing_left.astype(int).tolist()
            for side, children in (("true", tree.left), ("false", tree.right)):
                split[f"{side}leafs"] += (children < 0).astype(int).tolist()
                split[f"{side}nodeids"] += np.where(
                    children < 0, first_leaf + ~children, first_split + children
                ).tolist()
            weights += (tree.value + (constant if i == 0 else 0.0)).tolist()
            targets += [output] * len(tree.value)
    at_most = np.zeros(len(thresholds), dtype=np.uint8)  # BRANCH_LEQ
    lists: dict[str, Any] = {f"nodes_{key}": values for key, values in split.items()}
    if any(missing):
        lists["nodes_missing_value_tracks_true"] = missing
    return helper.make_node(
        "TreeEnsemble",
        [source],
        [name],
        domain="ai.onnx.ml",
        n_targets=num_outputs,
        tree_roots=roots,
        leaf_targetids=targets,
        leaf_weights=numpy_helper.from_array(np.array(weights, dtype=np.float32)),
        nodes_modes=numpy_helper.from_array(at_most),
        nodes_splits=numpy_helper.from_array(np.array(thresholds, dtype=np.float32)),
        **lists,
    )
