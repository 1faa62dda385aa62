"""Who may be the best student: found from the registry, by what the data and the loss allow."""

from __future__ import annotations

import pytest

from kd_core.errors import SpecError
from kd_core.models import ARCHS
from kd_core.registry import Registry
from kd_core.runs.asked import student_spec
from kd_core.runs.choosing.candidates import MOST, candidates, run_of
from kd_core.runs.plan import check, situation
from kd_core.specs import Choice, ChooseSpec, EvaluationSpec, RunSpec, SweepSpec
from tests.runs.tables import small_spec

TABLES = ("table", "columns")


def found(task="binary", classes=2, views=TABLES, loss="hinton", teacher="gradient_boosting"):
    return candidates(situation(task, classes, teacher, views), Choice(name=loss))


def test_a_table_gets_its_families_in_the_order_of_their_turns():
    names = [s.name for s in found().students]
    assert names[:2] == ["piecewise small", "trees small"] and len(names) == MOST and not found().beyond
    turns = [ARCHS.get(s.arch.name).facts["candidates"][s.name.partition(" ")[2] or None] for s in found().students]
    assert turns == sorted(turns) and len(set(turns)) == len(turns)


def test_every_candidate_is_a_student_of_a_size_that_there_is():
    for entry in ARCHS.entries():
        for size in entry.facts.get("candidates", {}):
            known = (None, *entry.facts["presets"], *entry.facts.get("named", {}))
            assert "student" in entry.facts["roles"] and size in known


def test_an_additive_model_is_tried_with_pairs():
    (student,) = [s for s in found().students if s.arch.name == "additive"]
    assert (student.name, student.arch.settings) == ("additive pairs", {"pairs": 8})
    assert student_spec("additive:pairs").arch == student.arch
    for text in ("additive:triples", "nothing:pairs", "linear:pairs"):
        with pytest.raises(SpecError, match="not understood"):
            student_spec(text)


def test_texts_and_pictures_have_candidates_of_their_own():
    texts = found(views=("table", "columns", "tfidf", "tokens"))
    assert "textcnn small" in [s.name for s in texts.students] and len(texts.students) == MOST
    pictures = {s.arch.name for s in found("multiclass", 3, views=("pixels",)).students}
    assert "cnn" in pictures and all(ARCHS.get(name).facts["takes"] == ("pixels",) for name in pictures)


def test_what_has_no_place_is_told_with_its_count():
    views = ("table", "columns", "tfidf", "tokens")
    beyond = found(views=views).beyond
    spec = RunSpec.model_validate(
        {**small_spec("a.csv").model_dump(), "students": found(views=views).students, "choose": {}}
    )
    (problem,) = [p for p in check(spec, "binary", 2, views) if p.code == "not_tried"]
    assert len(beyond) > 1 and problem.severity == "note"
    assert problem.message.startswith(f"{len(beyond)} more candidates suit these rows and are not tried: ")
    assert all(s.name in problem.message for s in beyond)
    assert not [p for p in check(spec, "binary", 2, TABLES) if p.code == "not_tried"]


def test_a_loss_that_some_cant_learn_by_leaves_them_out(monkeypatch):
    losses = Registry("loss")
    losses.register("deep", title="Deep", needs=("student_features",))(lambda: None)
    losses.register("beside", title="With a part of its own", module=object)(lambda: None)
    monkeypatch.setattr("kd_core.distill.terms.LOSSES", losses)
    assert {s.arch.name for s in found(loss="deep").students} == {"piecewise", "mlp", "tabm"}
    assert "trees" not in {s.arch.name for s in found(loss="beside").students}


def test_rows_that_no_candidate_reads_are_refused_in_words():
    with pytest.raises(SpecError, match=r"none reads these rows \(sound\) and learns by the loss 'hinton'") as caught:
        found(views=("sound",))
    assert caught.value.code == "no_candidates" and "name the students" in caught.value.hint


def test_a_choice_and_a_what_if_exclude_each_other_and_splits_are_told():
    spec = small_spec("a.csv").model_copy(update={"choose": ChooseSpec(), "students": found().students})
    both = spec.model_copy(update={"sweep": SweepSpec(temperature=(1.0, 2.0))})
    (problem,) = [p for p in check(both, "binary", 2, TABLES) if p.code == "no_choice_in_grid"]
    assert problem.severity == "error" and "A what-if can't choose the best student as well" in problem.message
    repeated = spec.model_copy(update={"evaluation": EvaluationSpec(splits=3)})
    (problem,) = [p for p in check(repeated, "binary", 2, TABLES) if p.code == "splits_of_chosen"]
    assert problem.severity == "warning" and "the other 2 repeat the one that was chosen" in problem.message
    assert not [p for p in check(spec, "binary", 2, TABLES) if p.severity == "error"]


def test_the_run_of_a_candidate_is_the_ordinary_run_of_that_student():
    plain = small_spec("a.csv")
    spec = plain.model_copy(update={"choose": ChooseSpec(), "students": (*plain.students, *found().students[:3])})
    assert run_of(spec, plain.students[0]) == plain
    assert spec.work_hash() != plain.work_hash() and '"choose"' not in plain.to_json()


def test_goals_are_checked():
    for wrong in ({"minutes": 0}, {"bytes": 0}, {"microseconds": 0}, {"score": float("nan")}):
        with pytest.raises(SpecError):
            ChooseSpec.parse(wrong)
    assert ChooseSpec(bytes=10, microseconds=2.5).limits == {"bytes": 10, "microseconds": 2.5}
    assert ChooseSpec().limits == {}
