"""Answers from outside: which column is which class, what the numbers are, and what is refused in words."""

import numpy as np
import pytest

from kd_core.errors import DataError
from kd_core.teachers.given import class_of, columns_by_class, logits_of
from tests.teachers.tables import dataset

P = np.array([[0.2, 0.8], [np.nan, np.nan], [0.9, 0.1]])


def softmax(z):
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "found"),
    [("yes", "yes"), ("p_YES", "yes"), ("prob.no", "no"), ("model a: no", "no"), ("know", None), ("p_yes_2", None)],
)
def test_a_column_is_named_after_its_class(name, found):
    assert class_of(name, ("no", "yes")) == found


def test_of_several_classes_the_longest_counts():
    assert columns_by_class(["p_b", "p_a_b"], ("a_b", "b")) == ["p_a_b", "p_b"]


def test_a_class_without_a_column_or_with_two_is_named():
    with pytest.raises(
        DataError, match=r"not so for 'a' \(none\); 'c' \(p_c, q_c\)\. Columns: p_b, p_c, q_c\. Name each"
    ):
        columns_by_class(["p_b", "p_c", "q_c"], ("a", "b", "c"))


def test_probabilities_become_log_probabilities_and_unknown_rows_stay_unknown():
    z, said = logits_of(P, dataset("binary"))
    assert z.dtype == np.float32 and np.isnan(z[1]).all()
    np.testing.assert_allclose(softmax(z[[0, 2]]), P[[0, 2]], atol=1e-6)
    assert "read as probabilities" in said.message


def test_other_numbers_are_logits():
    given = np.array([[-1.0, 2.0], [3.0, 0.5]])
    z, said = logits_of(given, dataset("binary"))
    assert np.array_equal(z, given.astype(np.float32)) and "read as logits" in said.message
    z, said = logits_of(P, dataset("binary"), "logits")
    assert z[0, 1] == np.float32(0.8) and "read as logits, as asked" in said.message


def test_one_score_is_the_second_class():
    z, said = logits_of(np.array([[0.25], [0.9]]), dataset("binary"))
    np.testing.assert_allclose(softmax(z)[:, 1], [0.25, 0.9], atol=1e-6)
    assert "probabilities of 'yes'" in said.message
    z, said = logits_of(np.array([[-2.0], [1.5]]), dataset("binary"))
    assert z.tolist() == [[0, -2.0], [0, 1.5]] and "log-odds of 'yes'" in said.message


def test_a_number_is_read_in_the_unit_of_the_target():
    data = dataset("regression")
    z, said = logits_of(np.array([[data.target_mean + data.target_std], [np.nan]]), data)
    assert z[0, 0] == pytest.approx(1.0) and np.isnan(z[1, 0]) and "in its own unit" in said.message


@pytest.mark.parametrize(
    ("values", "form", "code", "words"),
    [
        (
            [[0.2, np.nan], [0.5, 0.5]],
            "auto",
            "soft_label_gaps",
            r"1 row of the soft labels has some numbers and lacks others, the first is row 1\. Fill",
        ),
        (
            [[0.5, 0.5], [np.inf, 0.5]],
            "auto",
            "soft_label_infinite",
            r"1 row of the soft labels holds an infinite number, the first is row 2",
        ),
        ([[0.2, 0.3, 0.5]], "auto", "soft_label_columns", r"gives 3 numbers a row, 2 are needed"),
        (
            [[0.2, 0.2], [0.5, 0.5]],
            "auto",
            "soft_label_sums",
            r"1 of 2 rows don't add up to 1: row 1 adds up to 0\.4\. Divide",
        ),
        ([[20, 80], [50, 50]], "auto", "soft_label_sums", r"2 of 2 rows don't add up to 1: row 1 adds up to 100"),
        (
            [[-0.2, 1.2], [0.5, 0.5]],
            "auto",
            "soft_label_negative",
            r"go from -0\.2 to 1\.2; they have to be 0 or above\. Mend",
        ),
        ([[-1.0, 2.0]], "probabilities", "soft_label_negative", r"go from -1 to 2"),
        ([[1.5]], "probabilities", "soft_label_negative", r"go from 1\.5 to 1\.5; they have to be 0 to 1"),
    ],
)
def test_what_can_not_be_is_refused_with_its_place(values, form, code, words):
    with pytest.raises(DataError, match=words) as error:
        logits_of(np.array(values, float), dataset("binary"), form)
    assert error.value.code == code
