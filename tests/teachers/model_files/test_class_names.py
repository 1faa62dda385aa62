"""Which answer of a model belongs to which class of the data."""

from dataclasses import replace

import pytest

from kd_core.errors import DataError
from kd_core.teachers.model_files.class_names import class_order
from tests.teachers.tables import dataset


def of(*classes):
    return replace(dataset("multiclass"), classes=classes)


@pytest.mark.parametrize(
    ("classes", "theirs", "chosen", "places"),
    [
        (("a", "b", "c"), ["c", "a", "b"], (), [1, 2, 0]),  # by name
        (("1", "0"), ["0.0", "1.0"], (), [1, 0]),
        (("False", "True"), ["True", "False"], (), [1, 0]),
        (("no", "yes"), None, (), [0, 1]),
        (("yes", "no"), None, (), [1, 0]),  # a label encoder sorts by letters
        (("10", "9", "8"), None, (), [2, 1, 0]),  # and numbers by their size
        (("a", "b", "c"), None, ("b", "c", "a"), [2, 0, 1]),  # as asked
    ],
)
def test_classes_are_found(classes, theirs, chosen, places):
    order, said = class_order(theirs, len(classes), of(*classes), chosen)
    assert order.tolist() == places
    assert said.severity == ("warning" if theirs is None and not chosen else "note")


def test_what_was_taken_is_said():
    assert "0 to 1 were taken for no, yes, as a label encoder sorts them. Name the classes" in str(
        class_order(None, 2, of("yes", "no"), ())[1]
    )
    assert "were found by their names: b, a." in str(class_order(["b", "a"], 2, of("a", "b"), ())[1])
    assert "taken to be, in its order: b, a, as asked" in str(class_order(None, 2, of("a", "b"), ("b", "a"))[1])


@pytest.mark.parametrize(
    ("theirs", "count", "chosen", "words"),
    [
        (["a", "x"], 2, (), r"not the same: only the model has x; only the data has b, c\. Give data with"),
        (["a", "b", "c", "d"], 4, (), r"only the model has d"),
        (None, 2, (), r"the model has 2, 3 are named"),
        (None, 3, ("a", "b"), r"only the data has c"),
        (None, 3, ("a", "b", "b", "c"), r"the model has 3, 4 are named"),
    ],
)
def test_differences_are_shown(theirs, count, chosen, words):
    with pytest.raises(DataError, match=words) as error:
        class_order(theirs, count, of("a", "b", "c"), chosen)
    assert error.value.code == "model_classes"
