"""A target made from a teacher's answers."""

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.data.types.answered import classes_of
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec

ROWS = 120


def table(path, **columns):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.normal(size=ROWS), **columns}).to_csv(path, index=False)
    return path


def spec(path, *names, **more):
    return DatasetSpec(source=str(path), answer_columns=names, **{"target": "answer", **more})


def three():
    p = np.random.default_rng(1).dirichlet([1, 1, 1], ROWS)
    return {f"p_{name}": p[:, at] for at, name in enumerate(("low", "mid", "top"))}


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["p_no", "p_yes"], ["no", "yes"]),
        (["no", "not"], ["no", "not"]),
        (["p class_1", "p class_10"], ["1", "10"]),
        ([" p_new_york ", "p_york"], ["new_york", "york"]),
        (["p_", "p_b"], ["p_", "b"]),
    ],
)
def test_classes_are_named_by_what_their_columns_do_not_share(names, classes):
    assert classes_of(names) == classes


def test_the_class_of_the_highest_answer_is_the_target_and_no_student_reads_the_answers(tmp_path):
    p = three()
    p["p_mid"][:5] = np.nan  # rows without a whole answer have no target
    found = prepare(spec(table(tmp_path / "a.csv", **p), *p))
    assert (found.task, found.classes, found.columns) == ("multiclass", ("low", "mid", "top"), ("a", "b"))
    best = np.stack(list(p.values()), 1).argmax(1)
    for part in found.parts.values():
        assert (part.y == best[part.row_ids]).all() and part.row_ids.min() >= 5
    told = {p.code: str(p) for p in found.problems}
    assert told["no_true_labels"].startswith(
        "No true labels: figures measure agreement with the teacher, not truth. "
        "The labels are made from the answers in p_low, p_mid, p_top; the baseline learns from these labels alone"
    )
    assert "missing in 5 rows" in told["target_missing"]


def test_one_column_is_a_number_even_where_it_takes_few_values(tmp_path):
    score = np.arange(ROWS) % 3
    found = prepare(spec(table(tmp_path / "a.csv", score=score), "score"))
    assert (found.task, found.columns) == ("regression", ("a", "b"))
    assert (found.test.y == score[found.test.row_ids]).all()
    assert "a tie is to be expected" in next(p.hint for p in found.problems if p.code == "no_true_labels")


def test_the_answers_are_part_of_what_the_dataset_is(tmp_path):
    path = table(tmp_path / "a.csv", **three())
    two = [prepare(spec(path, *names)).hash for names in (["p_low", "p_mid", "p_top"], ["p_top"])]
    assert two[0] != two[1]


@pytest.mark.parametrize(
    ("names", "more", "code", "message"),
    [
        (["p_low", "p_none"], {}, "unknown_column", "p_none"),
        (["p_low", "p_top"], {"target": "a"}, "answers_and_target", "but the table has a column a, too"),
        (["p_low", "p_top", "p_below"], {}, "answer_never_first", "The teacher's highest answer is never below,"),
        (["p_low", "p_top"], {"rare": "merge"}, "answers_keep_classes", "can't be dropped, merged or set against"),
        (["p_low", "word"], {}, "soft_label_numbers", "in word are no numbers: row 1 holds 'x'"),
    ],
)
def test_what_can_not_be_a_target_is_refused(tmp_path, names, more, code, message):
    p = three()
    path = table(tmp_path / "a.csv", **p, p_below=p["p_low"] - 1, word=["x", "y"] * (ROWS // 2))
    with pytest.raises(DataError, match=message) as error:
        prepare(spec(path, *names, **more))
    assert error.value.code == code
