"""The drawing of teacher and student on Distill: what is set up, by the engine's numbers, in every mode."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kd_core.data.input_spec import InputSpec, table_inputs
from kd_core.data.preparation import prepare
from kd_core.distill import MODES
from kd_core.models.sizes import sizes
from kd_core.runs import estimate
from kd_core.scenarios import default_spec
from kd_core.specs import FOLDS, Choice, ChooseSpec, DatasetSpec, RunSpec, StudentSpec
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.training.loop import ignore, never
from pages.ui.access import aids
from pages.ui.chain.drawing import drawing
from pages.ui.chain.parts import Chain, chain
from pages.ui.runs import launch
from pages.ui.shared import text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import t
from tests.pages.distill.test_distill import best  # noqa: F401
from tests.pages.fixtures import HOSTILE
from tests.pages.screen import jobs, words  # noqa: F401

INPUTS: dict[str, InputSpec] = {"table": table_inputs(20)}
FACTS = Facts(12_000, 17, INPUTS, 2, ("no", "yes"), "binary")
NETWORK = Choice(name="mlp_large")
SIZES = tuple(StudentSpec(name=s, arch=Choice(name="mlp", settings={"size": s})) for s in ("tiny", "small"))


def run(mode: str = "offline", students=SIZES, teacher=NETWORK, **more) -> RunSpec:
    settings = more.pop("settings", {})
    return default_spec("purchase").model_copy(
        update={"students": students, "teacher": teacher, "mode": Choice(name=mode, settings=settings), **more}
    )


def made(spec: RunSpec, facts: Facts = FACTS) -> Chain:
    return chain(spec, facts, launch.foresee(spec, facts))


def lines(found: Chain) -> str:
    return " | ".join(line for stage in found.stages for box in stage.boxes for line in (box.title, *box.lines))


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    monkeypatch.setattr(estimate, "busy", lambda: 1.0)


@pytest.mark.parametrize("mode", MODES.names())
def test_every_mode_is_drawn_with_an_arrow_between_each_two_stages(mode):
    found = made(run(mode))
    assert len(found.arrows) == len(found.stages) - 1 >= 2
    assert "Data" in found.stages[0].title and "student" in found.stages[-1].title
    assert {"tiny", "small"} <= {box.title for box in found.stages[-1].boxes}
    page = drawing(found)
    assert page.count("kd-chain-stage") == len(found.stages) and page.count("kd-chain-shaft") == len(found.arrows)
    assert found.said.endswith(".") and all(s.title in found.said for s in found.stages)


def test_the_numbers_are_the_engines():
    spec = run()
    found, told = made(spec), launch.foresee(spec, FACTS)
    for one in SIZES:
        counted = sizes(one.arch, INPUTS["table"], 2)
        (box,) = [b for b in found.stages[-1].boxes if b.title == one.name]
        # how wide the columns are encoded is seen in the run
        shown = f"about {text.number(int(float(f'{counted.parameters:.2g}')))} parameters, about "
        assert any(line.startswith(shown) for line in box.lines)
    assert found.stages[-1].title.endswith(f"{told.trainings} trainings")
    learned = estimate.training_rows(spec.dataset, FACTS.rows)
    assert text.exact(learned) in lines(found) and text.exact(learned) in found.arrows[0].lines[0]
    assert f"{text.exact(learned)} × 2 numbers, {text.size(learned * 2 * 4)}" in found.arrows[1].lines


def test_a_lesson_tells_its_heat_and_what_labels_count():
    spec = run(objective=Choice(name="hinton", settings={"temperature": 3.0, "alpha": 0.75}))
    found = made(spec)
    assert found.arrows[1].lines[0].endswith("T\u00a0=\u00a03") and "weight set: 75 %" in found.arrows[1].lines
    assert found.labels == "labels: weight set: 25 %, all of the baseline's"
    alone = made(run(objective=Choice(name="hinton", settings={"alpha": 1.0})))
    assert alone.labels == "labels: the baseline's alone" and alone.labels in drawing(alone).replace("&#x27;", "'")


def test_several_teachers_stand_side_by_side():
    asked = [{"name": "gradient_boosting", "settings": {}}, {"name": "random_forest", "settings": {}}]
    found = made(run(teacher=Choice(name="ensemble", settings={"members": asked})))
    assert [b.title for b in found.stages[1].boxes] == ["Gradient boosting", "Random forest"]
    assert found.stages[1].title.startswith("2 teachers")
    assert all("size known once it has learned" in b.lines for b in found.stages[1].boxes)


def test_an_assistant_stands_between_and_a_named_size_is_counted():
    found = made(run("assistant"))
    assert [s.boxes[0].role for s in found.stages] == ["data", "teacher", "helper", "student"]
    assert "size between student and teacher" in found.stages[2].boxes[0].lines
    named = made(run("assistant", settings={"size": "base"}))
    counted = sizes(Choice(name="mlp", settings={"size": "base"}), INPUTS["table"], 2)
    assert any(text.number(counted.parameters) in line for line in named.stages[2].boxes[0].lines)


def test_generations_follow_each_other_and_the_teacher_is_not_heard():
    found = made(run("born_again", settings={"generations": 3}))
    assert [s.boxes[0].title for s in found.stages[1:4]] == ["Generation 0", "Generation 1", "Generation 2"]
    (beside,) = [b for b in found.stages[-1].boxes if b.role == "teacher"]
    assert beside.quiet and beside.lines == ("not listened to: stands beside the result",)
    assert all(b.role != "teacher" for s in found.stages[:-1] for b in s.boxes)


def test_two_that_teach_each_other_have_an_arrow_both_ways():
    assert [a.both for a in made(run("mutual")).arrows] == [False, True]
    assert "kd-chain-arrow both" in drawing(made(run("mutual")))
    assert not any(a.both for a in made(run("online")).arrows)


def test_made_rows_stand_before_the_students_and_real_ones_only_judge():
    found = made(run("data_free"))
    assert found.stages[0].boxes[0].quiet and "real rows only judge" in found.stages[0].boxes[0].lines
    assert found.stages[2].boxes[0].title == "Made-up rows"
    assert found.labels == "rows and labels: the baseline's alone" and found.labels in found.said


@pytest.mark.parametrize("mode", ("offline", "data_free"))
def test_whoever_is_trained_for_comparison_is_drawn(mode):
    """A placebo is trained where students are taught by stored answers, and told by the engine's count."""
    spec = run(mode)
    drawn = [b.title for b in made(spec).stages[-1].boxes if b.role == "baseline"]
    assert drawn == (["Baseline", "Placebo"] if mode == "offline" else ["Baseline"])
    each = 1 + len(drawn)
    assert launch.foresee(spec, FACTS).trainings == each * len(SIZES) * spec.training.seeds_at_first


def test_the_best_of_candidates_is_one_box():
    found = made(run(choose=ChooseSpec()))
    (box, *_) = found.stages[-1].boxes
    assert box.title == "The best of 2" and "tiny, small" in box.lines
    told = launch.foresee(run(choose=ChooseSpec()), FACTS)
    assert found.stages[-1].title.endswith(f"{told.trainings - told.tried} trainings") and told.tried


def test_names_are_text_and_nothing_else():
    for name in HOSTILE:
        student = StudentSpec(name=name[:40] or "a", arch=Choice(name="mlp", settings={"size": "tiny"}))
        page = drawing(made(run(students=(student,))))
        assert "<script" not in page and "&amp;#" not in page
        assert not re.search(r"<(?!/?(?:div|b|span)\b)", page)


def test_the_page_draws_what_is_set_up_and_follows_the_form(best):  # noqa: F811
    (seen,) = [h.proto.body for h in best.get("html") if "role='img'" in h.proto.body]
    assert "Gradient boosting" in seen and "role='img'" in seen
    best.radio(key="distill.choose.way").set_value("named").run()
    best.selectbox(key="distill.mode").set_value("born_again").run()
    (now,) = [h.proto.body for h in best.get("html") if "role='img'" in h.proto.body]
    assert "Generation 0" in now and "Generation 0" not in seen


TEXTS = {
    **INPUTS,
    "ngrams": InputSpec("ngrams", (128,), "int32", high=65_540_096),
    "tokens": InputSpec("tokens", (64,), "int32", high=8000),
}


def test_a_size_that_the_words_of_texts_decide_is_told_once_they_are_read():
    """What is foreseen of a vocabulary is its most, which may be many times what the texts hold."""
    names = ("mlp", "textcnn", "bag")
    several = tuple(StudentSpec(name=f"my {n}", arch=Choice(name=n)) for n in names)
    found = made(run(students=several, teacher=Choice(name="text_transformer")), replace(FACTS, inputs=TEXTS, texts=1))
    said = {b.title: " | ".join(b.lines) for b in (*found.stages[1].boxes, *found.stages[-1].boxes)}
    assert "parameters, file size known once the texts are read" in said["my mlp"]
    assert "size known once the texts are read" in said["my textcnn"] and "parameters" not in said["my textcnn"]
    assert re.search(r"parameters, about [\d.]+ KB", said["my bag"])  # it has a fixed number of weights
    assert "size known once the texts are read" in found.stages[1].boxes[0].lines
    assert "at most" not in " ".join(said.values())
    first = made(run(students=several, choose=ChooseSpec()), replace(FACTS, inputs=TEXTS, texts=1))
    assert "sizes known once the texts are read" in first.stages[-1].boxes[0].lines


@pytest.mark.slow
def test_a_teacher_whose_answers_are_kept_has_the_size_it_had(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path))
    spec = run(
        teacher=Choice(name="gradient_boosting", settings={"rounds": 10}), dataset=default_spec("purchase").dataset
    )
    facts = replace(FACTS, inputs=table_inputs_of(spec))
    assert "size known once it has learned" in made(spec, facts).stages[1].boxes[0].lines
    dataset = prepare(spec.dataset)
    answers = teacher_answers(
        dataset,
        spec.teacher,
        folds=FOLDS,
        seed=spec.training.first_seed,
        cache=TeacherCache(tmp_path / "teachers"),
        notify=ignore,
        should_stop=never,
    )
    (box,) = made(spec, facts).stages[1].boxes
    assert f"{text.number(answers.num_parameters)} parameters, {text.size(answers.size_bytes)}" in box.lines


def table_inputs_of(spec: RunSpec) -> dict[str, InputSpec]:
    return {"table": prepare(spec.dataset).view("table").spec}


def test_a_table_with_texts_says_what_becomes_of_them():
    assert "reads table |" in f"{lines(made(run()))} |" and "a few numbers" not in lines(made(run()))
    found = lines(made(run(), replace(FACTS, texts=1)))
    assert found.count("reads table, texts as a few numbers each") == 3  # the teacher and both students


@pytest.mark.slow
def test_on_a_phone_what_explains_is_a_fold_away(best):  # noqa: F811
    folds = {str(t(f"distill.{name}")) for name in ("budget", "mode_fold")}
    assert not folds & {fold.label for fold in best.expander}
    best.session_state[aids.KEY] = {"narrow": True}
    best.run()
    assert not best.exception and folds <= {fold.label for fold in best.expander}


def test_rows_to_learn_from_are_those_of_the_split_that_was_made():
    from pages.ui.data import understanding

    spec = DatasetSpec(source="sample:visits", target="purchased", validation_share=0.15, test_share=0.15)
    found = understanding.profile(spec.model_dump(mode="json"), spec.read, spec.name)
    assert sum(found.split) == found.num_rows
    split = (found.split[0] - 1, found.split[1], found.split[2] + 1)  # as rows of one time may stay together
    facts = understanding.facts_of(replace(found, split=split), None)
    assert estimate.training_rows(spec, facts.rows, facts.parts) == split[0]
