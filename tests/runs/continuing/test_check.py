"""What can't go on is said before anything is trained."""

from __future__ import annotations

import pytest

from kd_core.runs.continuing.check import check
from kd_core.specs import ContinueSpec, RunSpec


def recipe(**changes):
    values = {
        "dataset": {"source": "old.csv", "target": "y"},
        "teacher": {"name": "gradient_boosting"},
        "students": [{"name": "tiny", "arch": {"name": "mlp"}}],
        "objective": {"name": "hinton"},
        "training": {"seeds": 3},
        "continues": {"run": "first", "source": "new.csv"},
    }
    return RunSpec.parse({**values, **changes})


def test_an_ordinary_recipe_can_go_on_and_a_new_run_is_not_asked():
    assert check(recipe()) == []
    assert check(recipe(continues=None, training={"made_rows": 2})) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"training": {"seeds": 3, "made_rows": 2}}, "continue_ordinary"),
        ({"training": {}}, "continue_ordinary"),
        ({"sweep": {}}, "continue_ordinary"),
        ({"choose": {}}, "continue_ordinary"),
        ({"evaluation": {"splits": 3}}, "continue_ordinary"),
        ({"mode": {"name": "born_again"}}, "continue_mode"),
        ({"objective": {"name": "rkd"}}, "continue_inner"),
        ({"objective": {"name": "hinton", "settings": {"alpha": 0.0}}}, "continue_unheard"),
        ({"dataset": {"source": "a", "target": "y", "answer_columns": ["p"]}}, "continue_answers"),
    ],
)
def test_what_does_not_go_with_it(changes, code):
    assert [p.code for p in check(recipe(**changes))] == [code]


def test_the_work_is_named_by_content_not_by_place():
    first = ContinueSpec(run="first", weights="1" * 64, source="a.csv", sha256="2" * 64, name="a")
    moved = first.model_copy(update={"run": "/else/where", "source": "b.csv", "name": "b"})
    one, two, none = (recipe(continues=c and c.model_dump()) for c in (first, moved, None))
    assert one.work_hash() == two.work_hash() != none.work_hash()
    assert "continues" not in none.model_dump()
