"""From a teacher's answers to the arrays of an entry and back, by row id: a row's answer never depends on its position.

Arrays are named `<split>.<what>`: `rows` (ids), `logits` or its codings (see `coding`), `features` and `map.<stage>` where a teacher
gives them, `made.<coding>` the answers to made rows, in their order, `weights.<name>` those of its network where they are wanted, `last.layer` the one that turns features into answers, and `labels` of the validation rows, for whoever looks at answers without preparing the data.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kd_core.data.dataset import Array, Dataset, Part, Split
from kd_core.errors import DataError
from kd_core.teachers.answer_cache import coding

MAP = "map."  # before a stage's name
WEIGHT = "weights."  # before a weight's
HEAD = "last.layer"


def pack(
    dataset: Dataset,
    coded: Mapping[Split, Mapping[str, Array]],
    features: Mapping[Split, Array] | None = None,
    made: Mapping[str, Array] | None = None,
    maps: Mapping[str, Array] | None = None,
    weights: Mapping[str, Array] | None = None,
    head: Array | None = None,
) -> dict[str, Array]:
    """Name the arrays to keep. Shape: coded logits (N, C), features (N, D) and maps (N, H, W) in the order of the dataset's parts."""
    found: dict[str, Array] = {"validation.labels": dataset.validation.y}
    found |= {f"train.{MAP}{name}": array for name, array in (maps or {}).items()}
    found |= {f"made.{name}": array for name, array in (made or {}).items()}
    found |= {f"{WEIGHT}{name}": array for name, array in (weights or {}).items()}
    found |= {} if head is None else {HEAD: head}
    for split, part in dataset.parts.items():
        found[f"{split}.rows"] = part.row_ids
        found |= {f"{split}.{name}": array for name, array in coded[split].items()}
        if features and split in features:
            found[f"{split}.features"] = np.asarray(features[split], dtype=np.float32)
    return found


def part_of(arrays: Mapping[str, Array], split: str) -> dict[str, Array]:
    """Pick one split's arrays, by their own names."""
    return {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{split}.")}


def unpack(
    arrays: Mapping[str, Array], dataset: Dataset
) -> tuple[dict[Split, Array], dict[Split, Array], dict[str, Array], Array | None]:
    """Return logits, features and maps for the rows of a dataset, each in the order of its part, and logits of made rows.

    Errors: DataError with code `missing_rows` or `damaged_cache`.
    """
    logits: dict[Split, Array] = {}
    features: dict[Split, Array] = {}
    maps: dict[str, Array] = {}
    for split, part in dataset.parts.items():
        kept = part_of(arrays, split)
        rows = _positions(kept, part, split)
        logits[split] = coding.decode(kept, dataset.width, rows)
        if "features" in kept:
            features[split] = kept["features"] if rows is None else kept["features"][rows]
        found = {name.removeprefix(MAP): array for name, array in kept.items() if name.startswith(MAP)}
        maps |= {name: array if rows is None else array[rows] for name, array in found.items()}
    made = part_of(arrays, "made")
    return logits, features, maps, coding.decode(made, dataset.width) if made else None


def _positions(kept: Mapping[str, Array], part: Part, split: str) -> Array | None:
    """Find where the rows of a part are kept; None where they are kept in this very order."""
    ids = kept.get("rows", np.empty(0, dtype=np.int64))
    answered = min((len(array) for name, array in kept.items() if name != "labels"), default=0)
    ids = ids[:answered]  # an id beyond the answers has none
    if np.array_equal(ids, part.row_ids):
        return None
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids, part.row_ids, sorter=order).clip(max=len(ids) - 1)
    rows = order[place] if len(ids) else place
    found = ids[rows] == part.row_ids if len(ids) else np.zeros(len(part), dtype=bool)
    if not found.all():
        raise DataError(
            "The kept answers of a teacher lack {missing} of the {rows} {split} rows of this dataset.",
            "They are made again.",
            "missing_rows",
            missing=int((~found).sum()),
            rows=len(part),
            split=split,
        )
    positions: Array = rows
    return positions
