"""Specs: frozen, bounded, explained, and hashed by what decides the result."""

from __future__ import annotations

import inspect
import json

import pytest
from pydantic import ValidationError

from kd_core import specs
from kd_core.distill import LOSSES
from kd_core.errors import SpecError
from kd_core.models import ARCHS
from kd_core.specs import Choice, DatasetSpec, ReadSpec, RunSpec, Spec, StudentSpec, SweepSpec, TrainingSpec
from kd_core.teachers import SOURCES

RUN = RunSpec(
    name="a",
    dataset=DatasetSpec(source="/data/a.csv", sha256="00ff", target="y"),
    teacher=Choice(name="gradient_boosting"),
    students=(StudentSpec(name="small", arch=Choice(name="mlp")),),
    objective=Choice(name="hinton"),
)
ALL = [s for _, s in inspect.getmembers(specs, inspect.isclass) if issubclass(s, Spec)]
ALL += [e.spec for registry in (LOSSES, ARCHS, SOURCES) for e in registry.entries()]


@pytest.mark.parametrize("spec", ALL, ids=lambda s: s.__name__)
def test_every_field_is_described_and_every_number_bounded_with_a_unit(spec):
    for name, field in spec.model_fields.items():
        assert field.description and field.description.endswith("."), f"{spec.__name__}.{name} has no help text"
        if field.annotation in (int, float, int | None, float | None):
            assert field.metadata, f"{spec.__name__}.{name} has no bounds"
            assert (field.json_schema_extra or {}).get("unit"), f"{spec.__name__}.{name} has no unit"


def test_json_round_trip_is_canonical():
    assert RunSpec.from_json(RUN.to_json()) == RUN
    assert RunSpec.from_json(RUN.to_json()).to_json() == RUN.to_json()


def test_the_work_hash_leaves_out_names_and_paths_but_not_content():
    moved = RUN.model_copy(
        update={"name": "b", "dataset": RUN.dataset.model_copy(update={"source": "/b.csv", "name": "n"})}
    )
    other = RUN.model_copy(update={"dataset": RUN.dataset.model_copy(update={"sha256": "11"})})
    assert RUN.work_hash() == moved.work_hash() != other.work_hash()
    assert RUN.work_hash() != RUN.model_copy(update={"training": TrainingSpec(seeds=5)}).work_hash()


def test_a_spec_can_not_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        RUN.name = "c"  # type: ignore[misc]


def test_several_problems_are_reported_together_with_value_and_place():
    with pytest.raises(SpecError) as raised:
        TrainingSpec.parse({"seeds": 0, "epoch": 3}, "training")
    assert raised.value.message.startswith("2 problems in training: ")
    assert "seeds: Input should be greater than or equal to 1, got 0" in raised.value.message
    assert "epoch: Extra inputs are not permitted, got 3 (known: epochs, batch_size" in raised.value.message


def test_broken_json_is_said():
    with pytest.raises(SpecError, match="The spec is not valid JSON"):
        RunSpec.from_json("{")


def test_a_spec_with_many_problems_tells_the_first_few_in_few_words():
    hostile = {
        "students": [{f"x{i}": "y" * 500} for i in range(3_000)],
        **{f"key {i}": "z" * 500 for i in range(3_000)},
    }
    with pytest.raises(SpecError) as raised:
        RunSpec.from_json(json.dumps(hostile))
    assert raised.value.message.startswith("12,004 problems in RunSpec: dataset: Field required, got {'students'")
    assert raised.value.message.endswith("; and 11,999 more") and len(raised.value.message) < 2_000
    assert raised.value.code == "bad_spec"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"name": "a", "settings": ' + "[" * 40 + "]" * 40 + "}"])
def test_a_spec_nested_without_end_is_refused(text):
    with pytest.raises(
        SpecError, match=r"Choice is nested more than 32 levels deep\. Use a file that this program"
    ) as e:
        Choice.from_json(text)
    assert e.value.code == "too_deep"
    with pytest.raises(SpecError, match="settings is nested more than 32"):
        held: dict = {}
        held["a"] = held
        Choice.parse(held)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("NaN", "settings.x is nan, which is not a finite number. Correct it"),
        ("[0, -Infinity]", "settings.x.1 is -inf, which is not a finite number."),
        ("1e999", "settings.x is inf, which is not a finite number."),
        ("1" + "0" * 400, "settings.x is a whole number of 1,329 bits, which is too large."),
        (r'"a\ud800"', r"settings.x holds half a letter (character 2 is '\ud800')."),
        (r'{"\udfff": 1}', r"settings.x.the name of 1 holds half a letter (character 1 is '\udfff')."),
    ],
)
def test_values_that_can_be_read_but_not_kept_are_named_with_their_place(setting, said):
    with pytest.raises(SpecError) as raised:
        Choice.from_json(f'{{"name": "a", "settings": {{"x": {setting}}}}}')
    assert said in str(raised.value) and raised.value.code == "bad_value"
    str(raised.value).encode("utf-8")


def test_a_setting_given_in_code_that_json_does_not_have_is_refused_when_written():
    for value in (float("nan"), float("inf")):
        with pytest.raises(SpecError, match=r"A setting can't be written as JSON .* Give plain numbers"):
            Choice(name="a", settings={"x": value}).digest()
    assert Choice(name="a", settings={"x": 1.5}).to_json() == '{"name":"a","settings":{"x":1.5}}'


def test_a_sweep_lists_each_value_once_in_order_and_an_absent_one_leaves_no_trace():
    sweep = SweepSpec(temperature=(4, 1, 4), alpha=(1, 0))
    assert (sweep.temperature, sweep.alpha) == ((1, 4), (0, 1))
    assert "sweep" not in RUN.to_json()  # runs keep the hash they had before what-ifs existed
    asked = RUN.model_copy(update={"sweep": sweep})
    assert RunSpec.from_json(asked.to_json()) == asked and asked.work_hash() != RUN.work_hash()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": (0.1,)}, "temperature.0: Input should be greater than or equal to 0.5, got 0.1"),
        ({"alpha": (1.5,)}, "alpha.0: Input should be less than or equal to 1, got 1.5"),
        ({"alpha": tuple(i / 30 for i in range(22))}, "alpha: At most 21 values, got 22"),
        ({"mode": "fast"}, "mode: Input should be 'auto', 'fused' or 'sequential', got 'fast'"),
    ],
)
def test_values_of_a_sweep_are_bounded(values, message):
    with pytest.raises(SpecError) as raised:
        SweepSpec.parse(values, "sweep")
    assert message in raised.value.message


@pytest.mark.parametrize("spec", ALL, ids=lambda s: s.__name__)
def test_later_fields_are_fields(spec):
    assert set(spec.later) <= set(spec.model_fields)


def test_fields_that_came_later_are_left_out_at_their_default_and_read_back():
    plain = DatasetSpec(source="a.csv", target="y")
    assert not {"missing", "rare", "one_class", "answer_columns", "header", "names"} & set(plain.to_json().split('"'))
    full = DatasetSpec(
        source="a.csv",
        target="y",
        missing={"c": True},
        rare="merge",
        one_class="normal",
        answer_columns=("p_no", "p_yes"),
        read=ReadSpec(header="no", names=("x", "y")),
    )
    assert DatasetSpec.from_json(full.to_json()) == full != plain
    assert '"header":"no","member":null,"names":["x","y"]' in full.to_json()
    assert full.digest() != plain.digest()


def test_a_recipe_that_asked_for_child_processes_is_read_as_the_automatic_mode():
    assert SweepSpec.parse({"temperature": [1, 2], "mode": "processes"}, "sweep").mode == "auto"
