"""Where the teacher is offered, the reason where it is not, and the time that is told before."""

from __future__ import annotations

from kd_core.data.preparation import profile_source
from kd_core.data.views import foreseen
from kd_core.runs import estimate
from kd_core.runs.plan import check, situation
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec
from kd_core.teachers import SOURCES
from kd_core.teachers.pretrained import folders
from tests.teachers.pretrained.test_config import write
from tests.teachers.pretrained.tiny import need, text_frame

NAME = "pretrained"


def offer(views):
    why = {e.name: why for e, why in SOURCES.offer(situation("binary", 2, views=views))}
    return why[NAME]


def test_it_is_offered_for_texts_where_it_is_installed_and_says_why_not(monkeypatch):
    need("transformers")
    assert offer(("table", "tokens", "tfidf")) is None
    assert offer(("table", "columns")) == "reads word pieces; these rows can be read as columns, table"
    monkeypatch.setattr(SOURCES.get(NAME).facts["lacks"].__globals__["importlib"].util, "find_spec", lambda name: None)
    assert "needs the package transformers, which is not installed" in offer(("table", "tokens"))


def spec_of(source, settings, teacher=NAME):
    return RunSpec(
        dataset=DatasetSpec(source=str(source), target="label", kinds={"text": "text"}),
        teacher=Choice(name=teacher, settings=settings),
        objective=Choice(name="hinton"),
        students=(StudentSpec(name="tiny", arch=Choice(name="textcnn", settings={"size": "tiny"})),),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
    )


def test_a_plan_says_what_is_wrong_before_anything_is_read():
    said = [p.message for p in check(spec_of("x.csv", {}), "binary", 2, ("table", "columns"))]
    assert any("reads word pieces; these rows can be read as columns, table" in text for text in said)


def test_a_plan_says_that_a_model_is_not_there_or_can_not_be_used(tmp_path):
    views = ("table", "tokens")
    (said,) = [p for p in check(spec_of("x.csv", {"model": "nobody"}), "binary", 2, views) if p.severity == "error"]
    assert said.code == "no_model" and "There is no model 'nobody'" in said.message
    place = folders.models() / "odd"
    place.mkdir(parents=True)
    write(place, model_type="llama")
    for name in ("tokenizer.json", "model.safetensors"):
        (place / name).write_text("nobody opens it")
    (said,) = [p for p in check(spec_of("x.csv", {"model": "odd"}), "binary", 2, views) if p.severity == "error"]
    assert said.code == "model_family"


def test_the_time_is_foreseen_by_the_texts_and_the_size_of_the_model(tmp_path):
    text_frame().to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "tiny").mkdir()
    write(tmp_path / "tiny")
    for name in ("tokenizer.json", "model.safetensors"):
        (tmp_path / "tiny" / name).write_text("nobody opens it")
    tiny = folders.add(tmp_path / "tiny")
    inputs = foreseen(profile_source(str(tmp_path / "rows.csv"), target="label", kinds={"text": "text"}))

    def seconds(rows, **settings):
        return estimate.foresee(spec_of(tmp_path / "rows.csv", settings), rows, inputs, 77).teacher_seconds

    assert 40 < seconds(13_000) < 200 and seconds(26_000) > 1.8 * seconds(13_000)
    assert seconds(13_000, model=tiny) < 0.7 * seconds(13_000) and seconds(13_000, mode="as_is") < seconds(13_000)
