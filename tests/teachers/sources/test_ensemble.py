"""Several teachers as one: who is heard how much, on which rows, and what is said of it."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from kd_core.data.dataset import SPLITS
from kd_core.errors import DataError, KDError, SpecError
from kd_core.registry import Situation
from kd_core.runs import plan
from kd_core.runs.asked import chosen_teacher
from kd_core.specs import Choice, DatasetSpec
from kd_core.task import task_of
from kd_core.teachers.answer_cache import kept
from kd_core.teachers.base import SOURCES, Ask, TeacherAnswers, own_columns, without_own_columns
from kd_core.teachers.sources import ensemble
from kd_core.teachers.together import class_teachers, combining
from tests.laws.losses.several_rows import SEVERAL
from tests.runs.tables import small_spec
from tests.teachers.tables import dataset

MEMBERS = ("random_forest", "linear", "mlp")


def member(data, seed, skill=1.0, known=1.0, **more):
    """Answers that follow the labels as well as `skill` says, to a share of the rows."""
    rng, logits = np.random.default_rng(seed), {}
    for split in SPLITS:
        y = data.parts[split].y
        if data.classes:
            z = rng.normal(size=(len(y), len(data.classes))) + skill * np.eye(len(data.classes))[y]
        else:
            z = ((y - data.target_mean) / data.target_std + rng.normal(size=len(y)) / skill)[:, None]
        z[rng.random(len(y)) >= known] = np.nan
        logits[split] = z.astype(np.float32)
    return TeacherAnswers(MEMBERS[seed], logits, 10 + seed, 100, {}, 2.0, 5, **more)


def combined(data, found, combine="mean", classes=()):
    entry = SOURCES.get("ensemble")
    spec = entry.spec.parse({"members": [{"name": one.name} for one in found], "combine": combine, "classes": classes})
    by_name = {one.name: one for one in found}
    more = {"answers": lambda choice: by_name[choice.name]}
    return entry.make(spec, Ask(data, None, 5, 0, None, "", "cpu", print, lambda: False, **more))


def p(z):
    e = np.exp(np.asarray(z, float) - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_the_mean_of_those_who_know_a_row_answers_it_and_what_it_rests_on_is_told():
    data = dataset("multiclass")
    found = [member(data, 0, known=0.6), member(data, 1, 2.0, known=0.7), member(data, 2, known=0.5)]
    whole = combined(data, found)
    for split in SPLITS:
        each = np.stack([p(one.logits[split]) for one in found])
        nobody = np.isnan(each[:, :, 0]).all(0)
        assert nobody.any() and np.isnan(whole.logits[split][nobody]).all()
        np.testing.assert_allclose(p(whole.logits[split][~nobody]), np.nanmean(each[:, ~nobody], 0), atol=1e-5)
    assert (whole.num_parameters, whole.size_bytes, whole.seconds, whole.folds) == (33, 300, 6.0, 5)
    first = whole.details["members"][0]
    assert (first["number"], first["name"], first["weight"], first["known"]) == (
        1,
        "random_forest",
        None,
        found[0].known(),
    )
    rows = ~np.isnan(found[0].logits["validation"][:, 0])
    right = found[0].logits["validation"][rows].argmax(1) == data.validation.y[rows]
    assert first["validation"]["accuracy"] == pytest.approx(right.mean())
    (note,) = whole.notes
    assert (
        "3 teachers, accuracy on 100 validation rows: together 0." in note["message"]
        and "2 linear 0." in note["message"]
    )


def test_numbers_are_averaged_in_the_targets_unit():
    data = dataset("regression")
    found = [member(data, 0), member(data, 1)]
    both = (found[0].logits["test"] + found[1].logits["test"]) / 2
    np.testing.assert_allclose(combined(data, found).logits["test"], both, atol=1e-5)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_weights_are_those_that_suit_the_validation_rows_best(task):
    data = dataset(task, 400)
    found = [member(data, 0, 0.2), member(data, 1, 1.2), member(data, 2, 1.0)]
    whole = combined(data, found, "weighted")
    w = np.array([one["weight"] for one in whole.details["members"]])
    y = data.validation.y
    if task == "multiclass":
        own = np.stack([p(one.logits["validation"])[np.arange(len(y)), y] for one in found])

        def loss(w):
            return -np.log(w @ own).mean()
    else:
        values = np.stack([one.logits["validation"][:, 0] * data.target_std + data.target_mean for one in found])

        def loss(w):
            return ((w @ values - y) ** 2).mean()

    start, within = np.full(3, 1 / 3), [(0, 1)] * 3
    best = minimize(loss, start, bounds=within, constraints={"type": "eq", "fun": lambda w: w.sum() - 1})
    assert w.sum() == pytest.approx(1) and w.min() >= 0 and loss(w) <= best.fun + 1e-6
    assert w.argmax() == 1 and w[0] < 0.1
    assert "Validation rows chose the weights: 1 random_forest 0" in whole.notes[1]["message"]
    assert whole.notes[1]["hint"].startswith("The score on them is a little too good")


def test_the_surer_teacher_of_a_row_is_heard_more_without_a_look_at_labels():
    data = dataset("multiclass")
    found = [member(data, 0), member(data, 1)]
    sure, even = np.array([6.0, 0, 0], np.float32), np.array([1.0, 1, 1], np.float32)
    found[0].logits["test"][:3], found[1].logits["test"][:3] = [sure, even, even], [even, sure, even]
    z = p(combined(data, found, "confidence").logits["test"])
    np.testing.assert_allclose(z[:2], p(np.stack([sure, sure])), atol=1e-4)  # an even answer has no weight at all
    np.testing.assert_allclose(z[2], 1 / 3, atol=1e-6)  # where nobody is sure all count the same
    a, b = p(found[0].logits["test"][9]), p(found[1].logits["test"][9])
    wa, wb = (1 + (v * np.log(v)).sum() / np.log(3) for v in (a, b))
    np.testing.assert_allclose(z[9], (wa * a + wb * b) / (wa + wb), atol=1e-5)


@pytest.mark.parametrize(
    ("task", "known", "combine", "code", "words"),
    [
        ("binary", 0.5, "weighted", "few_common_rows", r"Only \d+ validation rows were answered by all 2 teachers"),
        ("binary", 1.0, "per_class", "no_specialists", r"needs 3 classes or more.* Combine by mean or weighted\."),
        ("regression", 1.0, "per_class", "no_specialists", r"needs 3 classes or more"),
        ("multiclass", 0.3, "per_class", "few_common_rows", r"answered by all 2 teachers"),
        ("regression", 1.0, "confidence", "no_confidence", r"say nothing of how sure .* Combine by mean or weighted\."),
    ],
)
def test_what_cannot_be_combined_is_refused(task, known, combine, code, words):
    data = dataset(task)
    with pytest.raises((DataError, SpecError), match=words) as error:
        combined(data, [member(data, 0, known=known), member(data, 1, known=known)], combine)
    assert error.value.code == code


def test_a_small_table_whose_rows_are_all_known_is_weighted():
    data = dataset("binary", 60)
    assert combined(data, [member(data, 0), member(data, 1, 3.0)], "weighted").details["members"][1]["weight"] > 0.5


def test_the_best_group_of_members_is_found_where_one_would_have_less_than_nothing():
    rng = np.random.default_rng(0)
    good, noise = rng.normal(size=500), rng.normal(size=500)
    w = combining.least_squares(np.stack([good, good + noise]))  # the second adds noise to the errors of the first
    np.testing.assert_allclose(w, [1, 0], atol=0.05)
    w = combining.least_squares(np.stack([good, 2 * good + 0.1 * noise]))  # without the bound: 2 and -1
    np.testing.assert_allclose(w, [1, 0])
    assert combining.least_squares(np.zeros((2, 9))).sum() == 1  # two without any error


def test_a_row_known_by_a_teacher_without_weight_alone_is_still_answered():
    data, known = dataset("binary"), np.array([[[0.2, 0.8]], [[np.nan, np.nan]]])
    z = combining.combined(known, np.array([[0.0], [1.0]]), data)
    np.testing.assert_allclose(p(z), [[0.2, 0.8]], atol=1e-6)


def test_columns_of_a_member_are_kept_from_the_students_and_its_model_is_named_by_content(monkeypatch):
    asked = [{"name": "linear"}, {"name": "soft_labels", "settings": {"columns": ["p_no", "p_yes"]}}]
    both = Choice(name="ensemble", settings={"members": asked})
    assert own_columns(both) == ("p_no", "p_yes")
    assert without_own_columns(DatasetSpec(source="a", target="y"), both).drop == ("p_no", "p_yes")
    before = kept.teacher_settings(both)
    entry = SOURCES.get("linear")
    monkeypatch.setitem(
        SOURCES._entries,
        "linear",
        type(entry)(**{**vars(entry), "facts": {**entry.facts, "content": lambda spec: "c1"}}),
    )
    assert kept.teacher_settings(both).startswith(f"{before} ") and kept.teacher_settings(both).endswith(" c1")


def test_members_are_numbered_on_a_command_line():
    asked = ["teacher.1.epochs=3", "teacher.3.trees=40", "teacher.ensemble.combine=weighted"]
    found = chosen_teacher(["mlp", "linear", "random_forest"], asked)
    assert found.name == "ensemble" and found.settings == {
        "members": [
            {"name": "mlp", "settings": {"epochs": 3}},
            {"name": "linear", "settings": {}},
            {"name": "random_forest", "settings": {"trees": 40}},
        ],
        "combine": "weighted",
    }
    assert chosen_teacher(["mlp"], ["teacher.1.epochs=3"]) == chosen_teacher(["mlp"], ["teacher.epochs=3"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "teacher.epochs=3",
            r"does not say which of the 2 teachers it is for \(1 mlp, 2 linear\)\. Write teacher\.1\.",
        ),
        ("teacher.3.epochs=3", "does not say which of the 2 teachers"),
        ("teacher.0.epochs=3", "does not say which of the 2 teachers"),
        ("student.1.epochs=3", "does not say which of the 2 teachers"),
        ("teacher.1.epochs", "'teacher.epochs' is not understood"),
    ],
)
def test_a_setting_of_nobody_is_refused(text, words):
    with pytest.raises(SpecError, match=words):
        chosen_teacher(["mlp", "linear"], [text])


@pytest.mark.parametrize("members", [[], ["linear"], ["linear", "linear"]])
def test_fewer_than_two_are_no_ensemble(members):
    spec = ensemble.EnsembleSpec.parse({"members": [{"name": name} for name in members]})
    error = SOURCES.get("ensemble").facts["missing"](spec)
    assert isinstance(error, KDError) and str(error).startswith(
        "An ensemble needs 2 teachers or more, no two of them alike; named are: " + (", ".join(members) or "none")
    )
    other = [{"name": "linear"}, {"name": "linear", "settings": {"epochs": 3}}]
    assert SOURCES.get("ensemble").facts["missing"](ensemble.EnsembleSpec.parse({"members": other})) is None
    with pytest.raises(SpecError, match=r"no two of them alike; named are"):
        ask = Ask(dataset(), None, 5, 0, None, "", "cpu", print, lambda: False)
        SOURCES.get("ensemble").make(spec, ask)


def test_of_each_class_the_teacher_is_heard_that_knows_it_best_on_validation_rows():
    data = dataset("multiclass")
    classes = np.arange(len(data.classes))
    found = [member(data, 0, 0.5), member(data, 1, 0.5)]
    for one, knows in zip(
        found, (classes == 0, classes > 0), strict=True
    ):  # sure of its own classes, and wrong of the others
        for split in SPLITS:
            own = np.eye(len(classes), dtype=np.float32)[data.parts[split].y]
            one.logits[split] += np.where(knows, 8 * own - 4, -0.5 * own).astype(np.float32)
    whole = combined(data, found, "per_class")
    a, b = p(found[0].logits["test"]), p(found[1].logits["test"])
    wanted = np.where(classes == 0, a, b)
    np.testing.assert_allclose(p(whole.logits["test"]), wanted / wanted.sum(1, keepdims=True), atol=1e-4)
    note = whole.notes[1]
    assert note["code"] == "ensemble_specialists"
    assert f"{data.classes[0]}: 1 random_forest, {data.classes[1]}: 2 linear" in note["message"]


def by_hand(data, *pairs):
    return tuple(f"{data.classes[k]}:{number}" for k, number in pairs)


def test_teachers_are_named_for_classes_and_the_rest_is_chosen_on_validation_rows():
    data = dataset("multiclass")
    found = [member(data, 0, 3.0), member(data, 1, 0.1)]
    a, b = (p(one.logits["test"]) for one in found)
    for pairs, second in ((((1, 2),), {1}), (((0, 1), (1, 2), (2, 2)), {1, 2}), (((2, 1),), set())):
        whole = combined(data, found, "per_class", by_hand(data, *pairs))
        wanted = np.where([k in second for k in range(len(data.classes))], b, a)
        np.testing.assert_allclose(p(whole.logits["test"]), wanted / wanted.sum(1, keepdims=True), atol=1e-4)
        note = whole.notes[1]
        assert (
            note["code"] == "ensemble_named" and f"by hand for {len(pairs)} of {len(data.classes)}" in note["message"]
        )
        assert f"{data.classes[pairs[0][0]]}: {pairs[0][1]} {MEMBERS[pairs[0][1] - 1]}" in note["message"]
        assert whole.details["by_hand"] == [len(pairs), len(data.classes)]


def test_where_every_class_has_its_teacher_validation_rows_are_not_needed():
    data = dataset("multiclass")
    found = [member(data, 0, known=0.3), member(data, 1, known=0.3)]
    with pytest.raises(DataError):
        combined(data, found, "per_class", by_hand(data, (0, 1)))
    whole = combined(data, found, "per_class", by_hand(data, (0, 1), (1, 2), (2, 2)))
    assert np.isfinite(whole.logits["test"]).any()


@pytest.mark.parametrize(
    ("combine", "classes", "code", "words"),
    [
        ("mean", ("a:1",), "classes_unheard", "are combined by mean. Combine per_class"),
        ("per_class", ("a:3",), "class_teacher", "'a:3' does not name one of the 2 teachers"),
        ("per_class", ("a:0",), "class_teacher", "'a:0' does not name"),
        ("per_class", ("a",), "class_teacher", "'a' does not name"),
        ("per_class", ("a:1", "a:2"), "class_teacher", "for a class that has none yet"),
        ("per_class", ("nobody:1",), "no_such_class", "named for 'nobody', and the data has no such class. Classes: "),
    ],
)
def test_what_is_named_wrongly_is_refused_before_anybody_is_asked(combine, classes, code, words):
    data = dataset("multiclass")

    def nobody(choice):
        raise AssertionError("was asked")

    entry = SOURCES.get("ensemble")
    spec = entry.spec.parse(
        {"members": [{"name": n} for n in MEMBERS[:2]], "combine": combine, "classes": list(classes)}
    )
    assert (entry.facts["missing"](spec) is None) == (code == "no_such_class")
    with pytest.raises(SpecError) as error:
        entry.make(spec, Ask(data, None, 5, 0, None, "", "cpu", print, lambda: False, answers=nobody))
    assert error.value.code == code and words in str(error.value)


def test_a_class_may_hold_a_colon_and_settings_come_from_a_command_line():
    asked = ["teacher.ensemble.combine=per_class", "teacher.ensemble.classes=a:b:2,c:1"]
    found = chosen_teacher(["mlp", "linear"], asked).settings["classes"]
    assert found == ["a:b:2", "c:1"] and class_teachers.named(found, 2) == {"a:b": 1, "c": 0}


def test_a_row_that_a_specialist_does_not_know_is_answered_by_who_does():
    data = dataset("multiclass")
    found = [member(data, 0, 3.0), member(data, 1, 1.0)]
    for one, row in ((found[0], 0), (found[0], 1), (found[1], 1)):
        one.logits["test"][row] = np.nan
    z = combined(data, found, "per_class").logits["test"]
    np.testing.assert_allclose(p(z[0]), p(found[1].logits["test"][0]), atol=1e-5)
    assert np.isnan(z[1]).all() and np.isfinite(z[2:]).all()


@pytest.mark.parametrize(
    ("task", "classes", "left_out"),
    [
        ("binary", 2, {"per_class", "per_task"}),
        ("multiclass", 3, {"per_task"}),
        ("multiclass", 2, {"per_class", "per_task"}),
        ("regression", 0, {"per_class", "per_task", "confidence"}),
        ("ranking", 0, {"per_class", "per_task", "confidence"}),
        ("multilabel", 4, {"per_class", "per_task", "confidence"}),
        (SEVERAL, 6, {"per_class", "confidence", "weighted"}),
    ],
)
def test_ways_to_combine_that_can_not_work_are_told_before_anybody_is_asked(task, classes, left_out):
    entry = SOURCES.get("ensemble")
    assert set(entry.facts["barred"](Situation(task, classes)).get("combine", {})) == left_out
    members = [{"name": "linear", "settings": {}}, {"name": "random_forest", "settings": {}}]
    for combine in ("mean", "weighted", "confidence", "per_class", "per_task"):
        teacher = Choice(name="ensemble", settings={"members": members, "combine": combine})
        small = small_spec(Path("a.csv"), task)
        unit = small.dataset.model_copy(update={"group": "query" if task_of(task).by_group else None})
        asked = {"teacher": teacher, "objective": Choice(name=task_of(task).objective), "dataset": unit}
        spec = small.model_copy(update=asked)
        said = [p.message for p in plan.check(spec, task, classes) if p.severity == "error"]
        assert bool(said) == (combine in left_out)
        assert all(f"combine {combine}' needs" in message for message in said)
