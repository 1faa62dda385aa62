"""What a spec would do: everything that can't work is named; sizes and time move with what decides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kd_core.data.input_spec import TERM, InputSpec, table_inputs
from kd_core.distill import LOSSES
from kd_core.machine import device as devices
from kd_core.models import ARCHS
from kd_core.runs import estimate, plan
from kd_core.runs.cost import seconds
from kd_core.runs.estimate import Circumstances
from kd_core.runs.pace import Pace, learn
from kd_core.specs import Choice, ChooseSpec, DatasetSpec, EvaluationSpec, StudentSpec, SweepSpec, TrainingSpec
from kd_core.teachers import SOURCES
from kd_core.training.plan import resolve
from tests.runs.tables import TINY, small_spec

SPEC = small_spec(Path("t.csv"), seeds=3)

PICTURES = InputSpec(kind="pixels", shape=(1, 28, 28), dtype="uint8", high=256, sparse=False)
TABLE_20 = {"table": table_inputs(20)}


def said(update, task="binary", classes=2) -> list[str]:
    return [p.message for p in plan.check(SPEC.model_copy(update=update), task, classes)]


def test_a_good_spec_has_no_problem():
    assert said({}) == []


def test_unknown_and_unfit_parts_are_named_together():
    found = said(
        {
            "teacher": Choice(name="oracle"),
            "objective": Choice(name="bounded_mse"),
            "students": (StudentSpec(name="t", arch=Choice(name="ft_transformer")),),
        }
    )
    assert found[0] == "no teacher 'oracle'."
    assert found[1] == "The loss 'bounded_mse' works for regression, not for binary."
    why = "its attention over the columns takes 3 to 6 times as long as an MLP of the same bytes"
    assert found[2] == f"'ft_transformer' can't be a student: {why}."


def test_wrong_settings_are_named_with_their_value():
    (message,) = said({"objective": Choice(name="hinton", settings={"temperature": 0})})
    assert "temperature" in message and "got 0" in message


def test_few_seeds_and_class_weights_without_classes_are_said():
    assert said({"training": TrainingSpec(seeds=1)}) == ["1 seed: too few for a useful interval."]
    weighted = {"training": TrainingSpec(class_weights="balanced"), "objective": Choice(name="mse")}
    assert said(weighted, "regression", 0) == ["Class weights need classes; the target is a number."]


def test_two_students_of_one_name_are_refused():
    assert said({"students": (TINY, TINY)}) == ["Two students are called 'tiny'."]


def test_more_students_and_rows_cost_more():
    one = estimate.foresee(SPEC, 10_000, TABLE_20, 2)
    two = estimate.foresee(
        SPEC.model_copy(update={"students": (TINY, StudentSpec(name="b", arch=TINY.arch))}), 10_000, TABLE_20, 2
    )
    assert (one.trainings, two.trainings) == (9, 18)
    assert two.student_seconds > one.student_seconds
    assert estimate.foresee(SPEC, 1_000_000, TABLE_20, 2).teacher_seconds > one.teacher_seconds


def test_sizes_are_known_without_training():
    (row,) = estimate.student_sizes((TINY,), TABLE_20, 2)
    assert row.parameters == 20 * 8 + 8 + 8 * 2 + 2
    assert row.size_bytes > 4 * row.parameters


def cost(teacher: str, rows: int = 12_000, **settings):
    spec = small_spec(Path("t.csv"), epochs=60, seeds=3)
    spec = spec.model_copy(update={"teacher": Choice(name=teacher, settings=settings)})
    return estimate.foresee(spec, rows, {"table": table_inputs(28)}, 2)


def test_a_network_teacher_is_estimated_from_its_own_size_and_epochs():
    """Measured on the purchase sample, one fit of all epochs it took: 2 s (mlp), 5 s (resmlp), 24 s (tabm)."""
    fits = 3
    assert 0.7 < cost("mlp").teacher_seconds / fits < 6
    assert 8 < cost("tabm").teacher_seconds / fits < 70
    assert cost("ft_transformer").teacher_seconds > cost("mlp").teacher_seconds * 5
    assert cost("mlp", size="large").teacher_seconds > cost("mlp", size="tiny").teacher_seconds
    long, short = (cost("mlp", epochs=n).teacher_seconds - seconds.ANSWER_SECONDS for n in (240, 60))
    assert long == pytest.approx(4 * short)
    few, fewer = (cost("mlp", epochs=n).teacher_seconds - seconds.ANSWER_SECONDS for n in (12, 6))
    assert few == pytest.approx(2 * fewer)  # all of them are trained: patience ends no such fit
    assert few > 0.9 * 12 / 60 / seconds.TEACHER_EPOCHS_SHARE * short


def pictures(monkeypatch, device="cpu", cores=2):
    """Foresee 70,000 pictures of 28 x 28: a teacher that learns for 25 epochs, two students' for 20."""
    monkeypatch.setattr(devices, "offers_gpu", lambda: device == "cuda")
    monkeypatch.setattr(seconds, "cores", lambda: cores)
    spec = small_spec(Path("t.zip"), epochs=20, seeds=2).model_copy(
        update={
            "teacher": Choice(name="cnn", settings={"epochs": 25}),
            "students": (StudentSpec(name="s", arch=Choice(name="cnn")),),
            "evaluation": EvaluationSpec(placebo=False, folds=2),
        }
    )
    return estimate.foresee(spec, 70_000, {"pixels": PICTURES}, 10)


def test_a_gpu_takes_a_small_part_of_the_time_for_pictures(monkeypatch):
    """Measured on an H100: 12 s the teacher and 14 s the students, in larger batches than today's."""
    here, there = pictures(monkeypatch), pictures(monkeypatch, "cuda")
    assert 5 < there.teacher_seconds < 120 and 5 < there.student_seconds < 120
    assert here.teacher_seconds > 15 * there.teacher_seconds and here.student_seconds > 4 * there.student_seconds


def test_fits_of_a_network_share_the_cores(monkeypatch):
    both, alone = (pictures(monkeypatch, cores=n).teacher_seconds - seconds.ANSWER_SECONDS for n in (2, 1))
    assert alone == pytest.approx(2 * both, rel=0.01)


def boosting(rows=10_000, features=20, outputs=2, **settings):
    spec = SPEC.model_copy(update={"teacher": Choice(name="gradient_boosting", settings=settings)})
    return estimate.foresee(spec, rows, {"table": table_inputs(features)}, outputs).teacher_seconds


def test_the_teachers_time_depends_on_rows_columns_classes_and_its_settings():
    """Measured, one fit on one core: 10,000 x 40 binary 1.7 s, 10,000 x 20 with 5 classes 2.7 s, 50,000 x 20 4.2 s."""
    assert boosting(rows=50_000) > 2 * boosting() and boosting(features=80) > 1.5 * boosting()
    assert boosting(outputs=5) > 2 * boosting() and boosting(rounds=20) < 0.5 * boosting()
    fits = {(14_286, 40, 2): 1.7, (14_286, 20, 5): 2.7, (71_430, 20, 2): 4.2}
    for (rows, features, outputs), took in fits.items():
        assert 0.5 < boosting(rows, features, outputs) / (3 * took) < 2
    forest = SPEC.model_copy(update={"teacher": Choice(name="random_forest")})
    trees = SPEC.model_copy(update={"teacher": Choice(name="random_forest", settings={"trees": 20})})
    assert (
        estimate.foresee(forest, 10_000, TABLE_20, 2).teacher_seconds
        > 5 * estimate.foresee(trees, 10_000, TABLE_20, 2).teacher_seconds
    )


def test_a_teacher_that_tells_no_seconds_is_estimated_by_its_table(monkeypatch):
    import dataclasses

    entry = SOURCES.get("gradient_boosting")
    facts = {name: entry.facts[name] for name in ("gives", "family")}
    monkeypatch.setitem(SOURCES._entries, "gradient_boosting", dataclasses.replace(entry, facts=facts))
    assert boosting(features=40) > boosting() > 3 * seconds.FIT_SECONDS


def test_an_architecture_that_is_slower_than_its_products_is_estimated_so(monkeypatch):
    import dataclasses

    spec = SPEC.model_copy(update={"teacher": Choice(name="ft_transformer")})
    told = estimate.foresee(spec, 10_000, TABLE_20, 2).teacher_seconds
    entry = ARCHS.get("ft_transformer")
    facts = {name: fact for name, fact in entry.facts.items() if name != "slower"}
    monkeypatch.setitem(ARCHS._entries, "ft_transformer", dataclasses.replace(entry, facts=facts))
    untold = estimate.foresee(spec, 10_000, TABLE_20, 2).teacher_seconds
    assert told - seconds.ANSWER_SECONDS == pytest.approx(4 * (untold - seconds.ANSWER_SECONDS))


def test_load_past_runs_and_a_kept_teacher_correct_the_seconds():
    quiet = estimate.foresee(SPEC, 10_000, TABLE_20, 2)
    busy = estimate.foresee(SPEC, 10_000, TABLE_20, 2, Circumstances(busy=3.0))
    assert busy.seconds == pytest.approx(3 * quiet.seconds) and (busy.busy, busy.learned) == (3.0, 0)
    pace = Pace((("teacher:gradient_boosting", (2.0, 2.0, 9.0)), ("training:stacks", (0.5,))))
    known = estimate.foresee(SPEC, 10_000, TABLE_20, 2, Circumstances(pace, busy=3.0))
    assert known.teacher_seconds == pytest.approx(6 * quiet.teacher_seconds) and known.learned == 3
    assert known.student_seconds == pytest.approx(1.5 * quiet.student_seconds)
    assert {w.kind: w.estimated for w in known.works} == {w.kind: w.estimated for w in busy.works}
    kept = estimate.foresee(SPEC, 10_000, TABLE_20, 2, Circumstances(teacher_kept=True))
    assert kept.teacher_seconds == 0 and kept.teacher_kept and kept.student_seconds == quiet.student_seconds
    assert quiet.seconds - kept.seconds == pytest.approx(quiet.teacher_seconds)


def test_the_circumstances_are_those_of_this_workspace_and_machine(own_workspace, monkeypatch):
    monkeypatch.setattr(estimate, "busy", lambda: 2.5)
    own_workspace.mkdir(parents=True)
    learn(own_workspace, {"data": 2.0})
    assert estimate.circumstances(SPEC, 1000) == Circumstances(Pace((("data", (2.0,)),)), 2.5, False, 1000)


def test_stacks_and_foresight_count_with_one_speed():
    spec = small_spec(Path("t.csv"), seeds=3, epochs=100)
    steps = resolve(spec.training, 7000)
    work = 3.0 * estimate.student_sizes(spec.students, TABLE_20, 2)[0].flops * steps.batch_size * 9
    step = seconds.STACK_STEP_SECONDS + work / seconds.STACK_FLOPS_PER_SECOND
    whole = 100 * steps.steps_per_epoch(7000) * step
    assert estimate.foresee(spec, 10_000, TABLE_20, 2).student_seconds == pytest.approx(seconds.EPOCHS_SHARE * whole)


def test_the_students_share_grows_with_rows_and_counts_all_arms():
    assert cost("gradient_boosting").trainings == 9
    assert cost("gradient_boosting", rows=1_200_000).student_seconds > 2 * cost("gradient_boosting").student_seconds
    assert cost("gradient_boosting").seconds > cost("gradient_boosting").student_seconds


def test_a_placebo_is_counted_where_there_is_one():
    plain = SPEC.model_copy(update={"evaluation": SPEC.evaluation.model_copy(update={"placebo": False})})
    assert estimate.foresee(plain, 10_000, TABLE_20, 2).trainings == 6
    logits = SPEC.model_copy(update={"objective": Choice(name="mse")})
    assert (
        estimate.foresee(logits, 10_000, TABLE_20, 2).trainings
        == estimate.foresee(logits, 10_000, TABLE_20, 1).trainings
        == 6
    )


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({}, None),
        ({"teacher": Choice(name="soft_labels", settings={"columns": ["p_no"]})}, "does not read alone"),
        ({"teacher": Choice(name="mlp")}, "the answers in p_no, p_yes, which the teacher 'mlp' does not read alone"),
        ({"objective": Choice(name="hinton")}, "Alpha 0.7 gives a share of the lesson to labels"),
        ({"sweep": SweepSpec(alpha=(0.25, 1.0))}, "Alpha 0.25 gives a share of the lesson to labels"),
        ({"sweep": SweepSpec(alpha=(1.0,)), "objective": Choice(name="hinton")}, None),
    ],
)
def test_labels_that_are_the_teachers_answers_need_that_teacher_and_its_whole_lesson(update, message):
    asked = {
        "dataset": SPEC.dataset.model_copy(update={"answer_columns": ("p_no", "p_yes")}),
        "teacher": Choice(name="soft_labels", settings={"columns": ["p_yes", "p_no"]}),
        "objective": Choice(name="hinton", settings={"alpha": 1.0}),
        **update,
    }
    found = said(asked)
    assert len(found) == (message is not None) and (message is None or message in found[0])
    if message and "Alpha" in message:
        hint = plan.check(SPEC.model_copy(update=asked), "binary", 2)[0].hint
        assert hint == "Set alpha to 1, or name a target."


def test_large_tables_take_fewer_folds_unless_asked_otherwise():
    auto, five, three = (SPEC.model_copy(update={"evaluation": EvaluationSpec(folds=n)}) for n in (None, 5, 3))
    for rows, like in ((60_000, five), (100_000, three)):  # 42,000 and 70,000 in training
        found = [estimate.foresee(spec, rows, TABLE_20, 2).teacher_seconds for spec in (auto, like)]
        assert found[0] == found[1] and estimate.training_rows(SPEC.dataset, rows) == int(rows * 0.7)
    assert EvaluationSpec().folds_of(49_999) == 5 and EvaluationSpec().folds_of(50_000) == 3
    assert EvaluationSpec(folds=7).folds_of(10**6) == 7


def taught_by(name, loss="hinton", **more):
    return SPEC.model_copy(
        update={"teacher": Choice(name=name, **more), "objective": Choice(name=loss), "evaluation": EvaluationSpec()}
    )


def test_a_network_of_many_rows_takes_two_folds_and_says_so(monkeypatch):
    members = {"members": [{"name": "random_forest"}, {"name": "mlp"}]}
    for spec, few, many in (
        (taught_by("mlp"), 5, 2),
        (taught_by("pretrained"), 5, 2),
        (taught_by("ensemble", settings=members), 5, 2),
        (taught_by("random_forest"), 5, 5),
    ):
        assert (plan.folds_of(spec, 19_999), plan.folds_of(spec, 20_000)) == (few, many)
    assert plan.folds_of(taught_by("random_forest"), 60_000) == 3 and plan.folds_of(taught_by("mlp"), 60_000) == 2
    (note,) = plan.told_folds(taught_by("mlp"), 20_000, 2)
    assert note.message.startswith(
        "Each of the 20,000 training rows was answered by a network that learned from the other"
    )
    asked = taught_by("mlp").model_copy(update={"evaluation": EvaluationSpec(folds=2)})
    assert plan.told_folds(asked, 20_000, 2) == plan.told_folds(taught_by("random_forest"), 20_000, 2) == []
    two, auto = (estimate.foresee(spec, 60_000, TABLE_20, 2).teacher_seconds for spec in (asked, taught_by("mlp")))
    assert two == auto


def test_a_lesson_of_inner_features_takes_one_fold_of_a_network_of_many_rows(monkeypatch):
    monkeypatch.setattr(LOSSES, "_entries", dict(LOSSES._entries))
    needs = ("teacher_features", "one_basis", "student_features")
    LOSSES.register("hints", title="Hints", needs=needs)(LOSSES.get("hinton").make)
    spec = taught_by("mlp", "hints")
    assert (plan.folds_of(spec, 19_999), plan.folds_of(spec, 20_000)) == (5, 1)
    few, many = ([p.message for p in plan.check(spec, "binary", 2, train_rows=n)] for n in (19_999, 20_000))
    assert any("from one fit" in message for message in few) and not any("one fit" in message for message in many)


def test_parts_that_a_column_gives_are_counted_as_they_are():
    known = DatasetSpec(source="x", target="y", part="p", validation_share=0.2, test_share=0.2)
    assert estimate.training_rows(known, 10_000, (4000, 0, 6000)) == 3200  # validation comes out of training
    assert estimate.training_rows(known, 10_000, (4000, 1000, 5000)) == 4000
    few, many = (estimate.foresee(SPEC, 10_000, TABLE_20, 2, Circumstances(train_rows=n)) for n in (1000, 7000))
    assert few.student_seconds < 0.6 * many.student_seconds and few.teacher_seconds < many.teacher_seconds
    assert few.of("data") == many.of("data")


def test_a_network_of_many_weights_takes_longer_though_each_row_meets_few_of_them():
    inputs = {"ngrams": InputSpec("ngrams", (64,), "int32", high=40_001 * TERM)}

    def took(terms):
        arch = Choice(name="bag", settings={"size": None, "terms": terms, "width": 64})
        student = StudentSpec(name="s", arch=arch)
        return estimate.pair_seconds(SPEC, student, 10_000, inputs, 50)

    assert 4 < took(40_000) / took(1000) < 20


def test_plain_models_on_pieces_of_words_cost_their_steps():
    inputs = {"ngrams": InputSpec("ngrams", (64,), "int32", high=40_001 * TERM), **TABLE_20}

    def evaluate(arch, **settings):
        students = (StudentSpec(name="s", arch=Choice(name=arch, settings=settings)),)
        asked = {"evaluation": EvaluationSpec(latency=False), "training": TrainingSpec(seeds=3)}
        spec = SPEC.model_copy(update={"students": students, **asked})
        return estimate.foresee(spec, 20_000, inputs, 150).of("evaluate")

    table, small, large = evaluate("mlp"), evaluate("bag", size="small"), evaluate("bag", size="large")
    assert table < 6 and 10 * table < 5 * small < 4 * large


def test_choosing_costs_at_most_its_minutes_and_then_one_student():
    students = tuple(StudentSpec(name=s, arch=Choice(name="mlp", settings={"size": s})) for s in ("tiny", "small"))
    plain = SPEC.model_copy(update={"students": students})
    short = estimate.foresee(plain.model_copy(update={"choose": ChooseSpec(minutes=0.001)}), 10_000, TABLE_20, 2)
    long = estimate.foresee(plain.model_copy(update={"choose": ChooseSpec()}), 10_000, TABLE_20, 2)
    assert short.of("choose") == pytest.approx(0.06) and 0.06 < long.of("choose") < 300
    assert (long.tried, long.trainings) == (
        2,
        9 + 2,
    )  # a pair of the other candidate beside the trainings of one student
    assert long.student_seconds < estimate.foresee(plain, 10_000, TABLE_20, 2).student_seconds
    told = {w["kind"]: w for w in long.fields(("data", "teacher", "choose", "students", "evaluate"))["work"]}
    assert told["choose"]["phases"] == ["choose"] and told["choose"]["most"] == 300
    assert told["training:chosen"]["phases"] == ["students"] and "most" not in told["data"]
    pace = Circumstances(Pace((("choose", (20.0,)),)))
    cut = estimate.foresee(plain.model_copy(update={"choose": ChooseSpec(minutes=0.01)}), 10_000, TABLE_20, 2, pace)
    assert cut.of("choose") == pytest.approx(0.6)


def test_made_rows_take_memory_as_often_as_they_are_held():
    def foreseen(made):
        spec = small_spec(Path("t.csv"))
        asked = spec.model_copy(update={"training": spec.training.model_copy(update={"made_rows": made})})
        around = estimate.Circumstances(train_rows=40_000)
        return estimate.foresee(asked, 50_000, {"table": table_inputs(30)}, 2, around).memory_bytes

    assert foreseen(2) - foreseen(0) == 2 * 3 * 40_000 * 30 * 4
