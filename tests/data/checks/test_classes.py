"""Rare classes and one class against the rest."""

import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.data.profile import profile_table
from kd_core.data.targets import read_target
from kd_core.data.types.typed_column import understand
from kd_core.specs import DatasetSpec
from tests.data.tables import clean, codes, one, table

KINDS = ["normal"] * 60 + ["smurf"] * 30 + ["spy"] * 2 + ["perl"]


def target(values, **more):
    return read_target(understand(pd.Series(values, dtype="str"), "kind"), **more)


def test_rare_classes_block_and_the_message_names_the_ways_out():
    found = one(target(KINDS).problems, "small_class")
    assert found.severity == "error"
    assert found.hint == "Leave their rows out, merge small classes, or predict one class against the rest."


def test_rows_of_rare_classes_can_be_left_out():
    found = target(KINDS, rare="drop")
    assert (found.task, found.classes, found.counts) == ("binary", ("normal", "smurf"), (60, 30))
    assert int((found.values < 0).sum()) == 3
    assert str(one(found.problems, "rare_classes")) == (
        "Target kind: 3 rows of 2 classes with fewer than 3 rows were left out (perl (1 row), spy (2 rows); rows 91, 92, 93). "
        "A model can't learn what it sees twice."
    )


def test_rare_classes_can_be_merged():
    found = target(KINDS, rare="merge")
    assert (found.classes, found.counts) == (("normal", "smurf", "other"), (60, 30, 3))
    assert "were merged into 'other'" in str(one(found.problems, "rare_classes"))
    joined = target([*KINDS, *["other"] * 9], rare="merge")
    assert (joined.classes, joined.counts) == (("normal", "other", "smurf"), (60, 12, 30))


def test_a_merged_class_that_is_still_too_small_blocks():
    found = target(KINDS[:-1], rare="merge")  # two rows of one class
    assert "class other has 2 rows; needs >= 3" in str(one(found.problems, "small_class"))


def test_nothing_is_said_where_no_class_is_rare():
    for rare in ("drop", "merge"):
        assert "rare_classes" not in codes(target(KINDS[:90], rare=rare).problems)


def test_a_missing_target_is_no_rare_class():
    found = target([*KINDS, "", ""], rare="merge")
    assert found.counts == (60, 30, 3) and int((found.values < 0).sum()) == 2


def test_one_class_against_the_rest():
    found = target(KINDS, one_class="Normal")
    assert (found.task, found.classes, found.counts, found.positive) == (
        "binary",
        ("not normal", "normal"),
        (33, 60),
        "normal",
    )
    attack = target(KINDS, one_class="normal", positive="not normal")
    assert (attack.classes, attack.positive) == (("normal", "not normal"), "not normal")
    assert not [p for p in found.problems if p.severity == "error"]
    said = one(found.problems, "against_rest")
    assert str(said).strip() == "Target kind: normal is predicted against 3 other classes."
    assert said.values["classes"] == ["normal", "perl", "smurf", "spy"]
    three = read_target(understand(pd.Series([str(i % 7) for i in range(140)], dtype="str"), "q"), one_class="3")
    assert (three.classes, three.counts) == (("not 3", "3"), (120, 20))


def test_one_class_that_is_not_there_or_not_possible():
    found = target(KINDS, one_class="nrmal")
    assert "No class 'nrmal' in target kind. Did you mean 'normal'?" in str(one(found.problems, "unknown_class"))
    number = read_target(
        understand(pd.Series([f"{i}.5" for i in range(60)], dtype="str"), "x"), task="regression", one_class="1"
    )
    assert str(one(number.problems, "one_class_unused")) == (
        "One class (1) against the rest needs classes; x is predicted as a number. Choose classification, or leave the class empty."
    )


@pytest.mark.parametrize(
    ("more", "classes", "rows"),
    [
        ({"rare": "drop"}, ("mail", "search"), 598),
        ({"rare": "merge"}, None, None),
        ({"one_class": "mail"}, ("not mail", "mail"), 600),
    ],
)
def test_a_dataset_repeats_what_was_chosen(tmp_path, more, classes, rows):
    data = clean()
    data["channel"] = ["fax", "fax", *["mail" if i % 3 else "search" for i in range(598)]]
    pd.DataFrame(data).to_csv(tmp_path / "t.csv", index=False)
    spec = DatasetSpec(source=str(tmp_path / "t.csv"), target="channel", **more)
    if classes is None:
        found = profile_table(table(data), target="channel", **more)
        assert one(found.problems, "small_class").severity == "error"  # 'other' has two rows
        return
    made = prepare(DatasetSpec.from_json(spec.to_json()))
    assert made.classes == classes and sum(map(len, made.parts.values())) == rows
