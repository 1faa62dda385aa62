"""What is left out for size before Start is what the run leaves out, and nothing that it might have made to fit."""

from __future__ import annotations

import pytest

from kd_core.data.input_spec import InputSpec
from kd_core.runs import estimate
from kd_core.runs.choosing.reach import CLEARLY, beyond, least_foreseen, within_reach
from kd_core.specs import Choice, ChooseSpec, StudentSpec
from tests.runs.tables import small_spec, write_table

PICTURES = {"pixels": InputSpec("pixels", (1, 28, 28), "uint8", high=256)}
TABLES = {"table": InputSpec("table", (28,)), "columns": InputSpec("columns", (27,), values=(256,) * 27)}
WRITTEN = {  # bytes of their files before they learned anything, in a run on pictures of 28 pixels and ten classes
    "cnn tiny": 24_211,
    "cnn small": 87_422,
    "cnn base": 1_374_105,
    "resnet tiny": 80_339,
    "resnet small": 310_258,
    "mobilenet tiny": 35_649,
    "mobilenet small": 118_889,
}


def student(name):
    arch, size = name.split()
    return StudentSpec(name=name, arch=Choice(name=arch, settings={"size": size}))


STUDENTS = tuple(map(student, [*WRITTEN, "linear_pixels small"]))


@pytest.mark.parametrize("name", WRITTEN)
def test_no_file_is_smaller_than_the_least_that_is_foreseen(name):
    least = least_foreseen(student(name).arch, PICTURES, 10)
    assert 0.7 * WRITTEN[name] < least <= WRITTEN[name]


def test_of_pictures_under_20_kb_two_are_left():
    left = within_reach(STUDENTS, ChooseSpec(bytes=20_480), PICTURES, 10)
    assert [s.name for s in left] == [
        "cnn tiny",
        "linear_pixels small",
    ]  # one too large by no clear margin: the run looks
    assert within_reach(STUDENTS, ChooseSpec(), PICTURES, 10) == STUDENTS == within_reach(STUDENTS, None, PICTURES, 10)


def test_where_all_are_too_large_the_smallest_is_kept_as_a_run_tries_it():
    assert [s.name for s in within_reach(STUDENTS[:-1], ChooseSpec(bytes=100), PICTURES, 10)] == ["cnn tiny"]


def test_trees_are_never_left_out_as_they_may_end_sooner():
    assert least_foreseen(Choice(name="trees", settings={"size": "large"}), TABLES, 2) is None
    assert not beyond(Choice(name="trees"), ChooseSpec(bytes=1), TABLES, 2)


def test_a_network_of_columns_counts_as_narrow_as_it_may_be_made():
    base = Choice(name="mlp", settings={"size": "base"})
    whole = least_foreseen(base.model_copy(update={"settings": {"size": "base", "width": 2 * 128}}), TABLES, 2)
    assert least_foreseen(base, TABLES, 2) < whole
    least = least_foreseen(base, TABLES, 2)
    assert beyond(base, ChooseSpec(bytes=int(least / CLEARLY) - 1), TABLES, 2)
    assert not beyond(base, ChooseSpec(bytes=least), TABLES, 2)


def test_time_and_trainings_are_foreseen_for_those_that_are_left(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv", "binary"), "binary")
    names = [f"mlp {size}" for size in ("tiny", "small", "base", "large")]
    asked = spec.model_copy(update={"students": tuple(map(student, names)), "choose": ChooseSpec(minutes=600)})
    every = estimate.foresee(asked, 100_000, TABLES, 2)
    limited = asked.model_copy(update={"choose": ChooseSpec(minutes=600, bytes=4_000)})
    left = within_reach(limited.students, limited.choose, TABLES, 2)
    assert 1 <= len(left) < len(names)
    few = estimate.foresee(limited, 100_000, TABLES, 2)
    assert few.tried == 2 * (len(left) - 1) < every.tried and few.of("choose") < every.of("choose")
