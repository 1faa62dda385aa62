"""What students of several runs are called."""

from __future__ import annotations

from dataclasses import replace

from pages.ui.compare import naming
from pages.ui.result import comparison
from tests.pages.fixtures import done_run, store


def entries(*ids):
    runs = store()
    return [e for i in ids for e in comparison.entries(runs.get(i), runs.folder(i))]


def test_size_t_and_alpha_come_first_among_what_differs():
    from kd_core.specs import Choice

    one = done_run(name="one", students=("tiny", "small"))
    two = done_run(
        name="two", teacher="mlp", objective=Choice(name="hinton", settings={"temperature": 4.0, "alpha": 0.5})
    )
    found = entries(one, two)
    with_sizes = [replace(e, settings={**e.settings, "student.settings.size": e.label}) for e in found]
    names = [naming.short_setting(n) for n in naming.differing(with_sizes)]
    assert names == ["size", "T", "α", "teacher"]


def test_students_of_one_name_are_told_apart_by_settings_or_by_their_run():
    same, again, other = done_run(name="first"), done_run(name="again"), done_run(name="third", teacher="mlp")
    told = [e.label for e in naming.apart(entries(same, other))]
    assert told == ["tiny · teacher Gradient boosting", "tiny · teacher MLP"]
    assert [e.label for e in naming.apart(entries(same, again))] == ["tiny · first", "tiny · again"]
    assert [e.label for e in naming.apart(entries(same))] == ["tiny"]


def test_settings_have_short_names():
    names = (
        "objective.settings.alpha",
        "objective.name",
        "teacher.name",
        "teacher.settings.depth",
        "student.settings.width",
        "training.epochs",
    )
    assert [naming.short_setting(n) for n in names] == [
        "α",
        "objective",
        "teacher",
        "teacher depth",
        "student width",
        "epochs",
    ]


def test_as_few_settings_as_needed_tell_students_apart():
    from kd_core.specs import Choice

    runs = [
        done_run(
            name=f"run {i}", teacher=teacher, objective=Choice(name="hinton", settings={"temperature": t, "alpha": 0.7})
        )
        for i, (t, teacher) in enumerate(((2.0, "mlp"), (4.0, "gradient_boosting")))
    ]
    assert [e.label for e in naming.apart(entries(*runs))] == ["tiny · T\u00a0=\u00a02", "tiny · T\u00a0=\u00a04"]


def test_names_are_no_settings_without_a_value_and_teachers_are_told_apart():
    one, two = done_run(name="visits"), done_run(name="orders")
    first, second = entries(one, two)
    known = replace(first, settings={**first.settings, "student.settings.size": "tiny"})  # the other's is not known
    bare = {n: v for n, v in second.settings.items() if n != "student.settings.size"}
    told = [e.label for e in naming.apart([known, replace(second, settings=bare)])]
    assert told == ["tiny · visits", "tiny · orders"]
    larger = {**second.result["teacher"], "size_bytes": 999_999}
    both = [first, replace(second, result={**second.result, "teacher": larger})]
    names = [p["label"] for p in comparison.points(both, "roc_auc", "size") if p["arm"] == "teacher"]
    assert names == ["Gradient boosting · visits", "Gradient boosting · orders"]


def test_runs_of_one_name_are_told_apart_by_their_time_and_others_left_alone():
    ids = [done_run(name="same"), done_run(name="same"), done_run(name="own")]
    rows = [replace(store().get(i), created_utc=f"2026-11-28T1{at}:31:00.000Z") for at, i in enumerate(ids)]
    assert [e.run_name for e in naming.dated(entries(*ids), rows)] == ["same 10:31", "same 11:31", "own"]
    rows[0] = replace(rows[0], created_utc="2026-11-27T10:31:00.000Z")
    assert [e.run_name for e in naming.dated(entries(*ids), rows)][:2] == ["same 11-27 10:31", "same 11-28 11:31"]


def test_students_of_one_recipe_are_told_apart_by_what_their_own_runs_differ_in():
    again, same = done_run(name="x: T=2 tiny seeds=3"), done_run(name="x: T=2 tiny seeds=3")
    other = done_run(name="x: T=2 tiny+small seeds=3")
    rows = [replace(store().get(i), created_utc=f"2026-11-28T1{at}:31:00.000Z") for at, i in enumerate((again, same))]
    told = [e.label for e in naming.apart(naming.dated(entries(again, same), rows))]
    assert told == ["tiny · 10:31", "tiny · 11:31"]
    assert [e.label for e in naming.apart(entries(again, other))] == ["tiny · tiny", "tiny · tiny+small"]
