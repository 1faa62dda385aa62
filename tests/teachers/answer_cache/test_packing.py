"""Answers go by row id: the order in which rows are asked for, or were kept, never matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kd_core.data.dataset import Dataset
from kd_core.errors import DataError
from kd_core.teachers.answer_cache.coding import encode
from kd_core.teachers.answer_cache.packing import pack, part_of, unpack
from tests.teachers.tables import dataset, with_rows


def packed(data: Dataset, outputs: int = 2, features: bool = False) -> dict[str, np.ndarray]:
    """Logits that name their row, so that a row in the wrong place is seen."""
    logits = {split: part.row_ids[:, None] * np.float32([1] * outputs) for split, part in data.parts.items()}
    more = {split: z[:, :1] + 0.5 for split, z in logits.items()}
    return pack(data, {split: encode(z) for split, z in logits.items()}, more if features else None)


def shuffled(data: Dataset) -> Dataset:
    """The same rows in another order."""
    rng = np.random.default_rng(5)
    return with_rows(data, {split: rng.permutation(len(part)) for split, part in data.parts.items()})


def test_rows_asked_in_the_kept_order_are_not_copied():
    data = dataset()
    kept = packed(data)
    logits, features, _, _ = unpack(kept, data)
    assert all(logits[split] is kept[f"{split}.logits"] for split in data.parts) and features == {}
    assert kept["validation.labels"] is data.validation.y


@pytest.mark.parametrize("outputs", [2, 150])
def test_rows_asked_in_another_order_get_their_own_answers(outputs):
    data = replace(dataset("multiclass"), classes=tuple(map(str, range(outputs))))
    logits, features, _, _ = unpack(packed(data, outputs, features=True), shuffled(data))
    for split, part in shuffled(data).parts.items():
        assert not np.array_equal(part.row_ids, data.parts[split].row_ids)
        assert np.array_equal(logits[split], part.row_ids[:, None] * np.float32([1] * outputs))
        assert np.array_equal(features[split][:, 0], part.row_ids + np.float32(0.5))


def test_some_of_the_rows_are_enough():
    data = dataset()
    few = with_rows(data, dict.fromkeys(data.parts, slice(3, 9)))
    logits, _, _, _ = unpack(packed(data), few)
    assert np.array_equal(logits["test"][:, 0], few.test.row_ids)


@pytest.mark.parametrize("lost", ["one row", "all rows", "ids", "an answer"])
def test_rows_without_an_answer_are_counted(lost):
    data, kept = dataset(), packed(dataset())
    if lost == "ids":
        del kept["test.rows"]
    elif lost == "an answer":
        kept["test.logits"] = kept["test.logits"][:-1]
    else:
        kept["test.rows"] = np.delete(kept["test.rows"], 7) if lost == "one row" else kept["test.rows"] + 1000
    n = 1 if lost in ("one row", "an answer") else 50
    with pytest.raises(DataError, match=f"lack {n} of the 50 test rows of this dataset") as error:
        unpack(kept, data)
    assert error.value.code == "missing_rows"


def test_answers_of_another_width_are_refused():
    with pytest.raises(DataError, match="are not 2 outputs"):
        unpack(packed(dataset(), 3), dataset())


def test_a_split_is_picked_by_name():
    assert set(part_of(packed(dataset()), "validation")) == {"rows", "logits", "labels"}
