"""The Compress screen on a real run: chains are built from the steps, what can't work is told, and the recipe is what was asked for."""

import json
import shutil

import pytest

from kd_core.compress.steps import STEPS
from kd_core.requests.compress_spec import CompressSpec
from kd_core.runs.asked import make_spec
from kd_core.safe_io import write_json
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec
from pages.ui.compress import chains, form, runs_offered
from pages.ui.export import choosing
from pages.ui.goals import candidates as goals
from pages.ui.goals import kept
from pages.ui.result import verdict
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import Safe, catalogue, t
from tests.pages.fixtures import done_run, make_run, result
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.sweeps import make_sweep
from tests.runs.continuing.test_going import carry_out, table
from tests.runs.view.compressed_block import compressed


def button(at, key):
    return next(b for b in at.button if b.key == key)


@pytest.fixture(params=["tiny"])
def first(request, own_workspace, tmp_path):
    """A finished run of one student in the workspace."""
    table(600, 1).to_csv(tmp_path / "old.csv", index=False)
    data = DatasetSpec(source=str(tmp_path / "old.csv"), target="bought")
    judged = EvaluationSpec(folds=2, references=False, latency=False)
    teacher = Choice(name="gradient_boosting", settings={"rounds": 10})
    spec = make_spec(data, teacher, [request.param], Choice(name="hinton"), (3, 2, 0), evaluation=judged)
    (own_workspace / "runs").mkdir(parents=True, exist_ok=True)
    carry_out(spec, own_workspace / "runs/first")
    engine._store.cache_clear()
    engine.store().folder("first").write_status(state="done", seconds=1.0)
    engine.store().refresh("first")
    return "first"


@pytest.mark.slow
def test_a_chain_is_built_and_started_as_it_is_shown(first, jobs):  # noqa: F811
    at = open_page("compress", run=first)
    assert not at.exception
    said = words(at)
    assert str(t("compress.chain", number=1)) in said and str(t("compress.goals.title")) in said
    assert "× 2 seeds" in said and "about" in said  # the time is told before
    place = "compress.first.tiny.chains"
    for chain in list(at.session_state[place])[1:]:
        button(at, f"compress-drop-{chain.id}").click().run()
    (chain,) = at.session_state[place]
    for step in list(chain.steps):
        button(at, f"compress-drop-{step.id}").click().run()
    assert button(at, "compress-start").disabled and str(t("compress.no_chain")) in words(at)
    for name in ("int8", "distill"):  # what learns goes before what rounds
        at.selectbox(key=f"compress-more-{chain.id}").set_value(name).run()
        assert not at.exception
    at.number_input(key="compress.first.tiny.kb").set_value(12.5).run()
    at.number_input(key="compress.first.tiny.most_lost").set_value(2.0).run()
    button(at, "compress-start").click().run()
    ((spec, _, _),) = jobs.submitted
    (asked,) = spec.compress.chains
    assert [step.name for step in asked] == ["distill", "int8"]
    assert (spec.compress.run, spec.compress.student) == ("first", "tiny")
    assert (spec.compress.most_lost, spec.compress.bytes, spec.compress.microseconds) == (2.0, 12_800, None)
    assert RunSpec.from_json(spec.to_json()) == spec


@pytest.mark.slow
def test_rounding_that_saves_no_bytes_is_not_proposed_and_says_so_where_it_is_chosen(first, jobs):  # noqa: F811
    from kd_core.runs.compressing import rounded

    known = rounded.foresee(engine.store().folder(first).path, "tiny")
    assert known.whole == engine.store().folder(first).result()["students"][0]["deployed"]["bytes"]
    assert known.by["int8"] > known.whole and "int8" in known.idle() and "qat" in known.idle()
    at = open_page("compress", run=first)
    assert not at.exception
    place = "compress.first.tiny.chains"
    proposed = {step.name for chain in at.session_state[place] for step in chain.steps}
    assert proposed and not proposed & set(known.idle())
    said = str(t("compress.idle_larger", size=f"{known.by['int8']:,}", whole=f"{known.whole:,}"))
    assert str(STEPS.get("int8").title) in words(at) and said not in words(at)
    (chain, *_) = at.session_state[place]
    at.selectbox(key=f"compress-more-{chain.id}").set_value("int8").run()
    assert not at.exception and said in words(at)


@pytest.mark.slow
def test_goals_asked_for_on_compare_are_taken_over_for_the_same_data(first, jobs):  # noqa: F811
    found = engine.store().folder(first).result()
    metric, own = found["metric"]["name"], found["students"][0]["metrics"]
    asked = goals.Goals(metric, own[metric]["mean"] - 0.0325, {"size": 20_480.0, "latency": 0.25})
    for data in (kept.data_of(engine.store().get(first)), "other rows → bought"):
        at = open_page("compress", {kept.ASKED: {data: asked}}, run=first)
        assert not at.exception
        taken = str(t("compress.goals.taken")) in words(at)
        values = [at.number_input(key=f"compress.first.tiny.{n}").value for n in ("kb", "us", "most_lost")]
        assert (taken, values) == ((False, [None, None, 1.0]) if "other" in data else (True, [20.0, 250.0, 3.25]))
        if taken:
            at.number_input(key="compress.first.tiny.kb").set_value(6.0).run()
            assert str(t("compress.goals.taken")) not in words(at)  # they are the person's own now
    opened = {kept.data_of(engine.store().get(first)): goals.Goals("", None, {"size": 8192.0})}
    at = open_page("compress", {kept.OPENED: opened}, run=first)  # on Compare those of another run were seen
    assert at.number_input(key="compress.first.tiny.kb").value == 8.0 and str(t("compress.goals.taken")) in words(at)
    place = engine.store().folder(first).path / "result.json"
    place.write_text(json.dumps(found | {"choice": {"goals": {"bytes": 4096, "microseconds": 80.0, "score": None}}}))
    at = open_page("compress", run=first)  # nothing asked on Compare: those that the run was started with
    assert not at.exception and str(t("compress.goals.taken")) in words(at)
    assert [at.number_input(key=f"compress.first.tiny.{n}").value for n in ("kb", "us", "most_lost")] == [
        4.0,
        80.0,
        1.0,
    ]


@pytest.mark.slow
def test_a_search_asks_for_minutes_and_the_run_links_here(first, jobs):  # noqa: F811
    at = open_page("compress", run=first)
    at.segmented_control(key="compress.first.tiny.way").set_value("search").run()
    assert not at.exception and str(t("compress.search_note")) in words(at)
    at.number_input(key="compress.first.tiny.minutes").set_value(2.0).run()
    assert words(at).count("Up to **2 min** of searching") == 1  # told once, and in brief beside the button
    button(at, "compress-start").click().run()
    ((spec, _, _),) = jobs.submitted
    assert spec.compress.chains == () and spec.compress.minutes == 2.0
    result = open_page("runs", run=first)
    assert not result.exception
    assert any(one.proto.page == "compress" for one in result.get("page_link"))


@pytest.mark.slow
def test_what_keeps_a_run_from_being_made_smaller_is_said(jobs):  # noqa: F811
    at = open_page("compress", run=done_run())  # made up: it kept no weights
    assert not at.exception and not [b for b in at.button if b.key == "compress-start"]
    assert at.error or at.info


@pytest.mark.slow
def test_from_a_run_that_made_a_student_smaller_its_first_run_is_chosen(first, jobs):  # noqa: F811
    small = CompressSpec(run=first, student="tiny", chains=((Choice(name="int8"),),))
    found = {**result(), "compressed": compressed(run=first)}
    made = make_run("done", ("tiny",), found)
    folder = engine.store().folder(made)
    write_json(folder.path / "spec.json", json.loads(folder.spec().model_copy(update={"compress": small}).to_json()))
    for other in ("zz-second", "aa-second"):  # newer or older, another run is not what is meant
        shutil.copytree(engine.store().folder(first).path, engine.store().runs / other)
        engine.store().refresh(other)
    for at in (open_page("compress", run=made), open_page("compress", {f"current.{session.RUN}": made})):
        assert not at.exception and not at.error
        assert at.selectbox(key="compress-run").value == first and len(at.selectbox(key="compress-run").options) == 3
        assert any(b.key == "compress-start" for b in at.button)
        assert str(t("compress.instead", run=engine.store().get(first).name or first)) in words(at)
    assert runs_offered.first(made) == first and runs_offered.first(first) is None and not runs_offered.able(made)


def made_smaller(first, **asked):
    """A run that made the student of `first` smaller as it was asked to."""
    made = make_run("done", ("tiny",), {**result(), "compressed": compressed(run=first)})
    small = CompressSpec(run=first, student="tiny", **asked)
    folder = engine.store().folder(made)
    write_json(folder.path / "spec.json", json.loads(folder.spec().model_copy(update={"compress": small}).to_json()))
    engine.store().refresh(made)
    return made


FIELDS = ("most_lost", "kb", "us", "minutes")


def held(at, names=FIELDS):
    return [at.number_input(key=f"compress.first.tiny.{n}").value for n in names]


@pytest.mark.slow
def test_a_clone_asks_for_the_same_search_and_goals_and_keeps_what_is_changed_then(first, jobs):  # noqa: F811
    made = made_smaller(first, most_lost=2.0, bytes=6144, minutes=3.0)
    at = open_page("runs", run=made)
    button(at, "run-clone").click().run()
    assert not at.exception and at.query_params["clone"] in (made, [made])
    row = engine.store().get(first)
    wish = goals.Goals("accuracy", None, {"size": 20_480.0})  # of Compare: it is not what the run asked for
    at = open_page("compress", {kept.ASKED: {kept.data_of(row): wish}}, run=first, student="tiny", clone=made)
    assert not at.exception and at.segmented_control(key="compress.first.tiny.way").value == "search"
    assert held(at) == [2.0, 6.0, None, 3.0] and str(t("compress.goals.taken")) not in words(at)
    at.number_input(key="compress.first.tiny.kb").set_value(7.0).run()
    assert held(at) == [2.0, 7.0, None, 3.0]
    button(at, "compress-start").click().run()
    ((spec, _, _),) = jobs.submitted
    assert (spec.compress.chains, spec.compress.bytes, spec.compress.minutes) == ((), 7168, 3.0)


@pytest.mark.slow
def test_a_clone_of_chains_opens_with_these_chains(first, jobs):  # noqa: F811
    chain = (Choice(name="distill", settings={"epochs": 2.0}), Choice(name="int8"))
    made = made_smaller(first, chains=(chain,), bytes=12_345, microseconds=80.0)
    at = open_page("compress", run=first, student="tiny", clone=made)
    assert not at.exception and at.segmented_control(key="compress.first.tiny.way").value == "chains"
    button(at, "compress-start").click().run()
    ((spec, _, _),) = jobs.submitted
    (asked,) = spec.compress.chains
    assert [step.name for step in asked] == ["distill", "int8"] and asked[0].settings["epochs"] == 2.0
    assert (spec.compress.bytes, spec.compress.microseconds) == (12_345, 80.0)


def test_steps_that_learn_are_put_before_those_that_round():
    possible = {entry.name: entry for entry in STEPS.entries()}
    chain = chains.made([])
    for name in ("int8", "distill", "prune_structured"):
        chains.put(chain, name, possible)
    assert [step.name for step in chain.steps] == ["distill", "prune_structured", "int8"]
    assert chain.steps[-1].settings == possible["int8"].facts["usual"]
    chains.drop(chain, chain.steps[0].id)
    assert [step.name for step in chain.steps] == ["prune_structured", "int8"]


def test_presets_are_of_steps_that_are_there_in_an_order_that_works():
    from kd_core.runs.compressing.tree import order_error

    for name, steps in chains.PRESETS.items():
        assert chains.fits(name, STEPS.names()) and f"compress.preset.{name}" in catalogue()
        assert order_error([Choice.model_validate(step) for step in steps]) is None
    assert not chains.fits("half", ["distill"])
    assert set(form.WAYS) == {key.rsplit(".", 1)[1] for key in catalogue() if key.startswith("compress.ways.")}


def test_a_run_without_a_student_to_begin_with_is_said_in_words(first, monkeypatch):
    monkeypatch.setattr(
        runs_offered, "students", lambda folder: []
    )  # as of a run that made a student smaller and learned again
    at = open_page("compress", run=first)
    assert not at.exception and str(t("compress.no_start")) in words(at)


def test_without_a_run_of_ones_own_the_example_is_made_smaller(own_workspace, jobs):  # noqa: F811
    at = open_page("compress")
    assert not at.exception and not at.error and t("common.example.run") in words(at)
    assert not button(at, "compress-start").disabled
    assert example.is_example(at.session_state["compress-run"])


def test_a_run_without_weights_is_told_calmly_and_its_recipe_is_one_press_away(own_workspace, jobs):  # noqa: F811
    _, run = example.adopt()
    shutil.rmtree(engine.store().folder(run).checkpoints)
    at = open_page("compress", run=run)
    assert not at.exception and not at.error
    assert str(t("compress.no_weights")) in words(at)
    assert not any(b.key == "compress-start" for b in at.button)
    button(at, "compress-clone").click().run()
    assert not at.exception
    assert at.query_params.get("clone") in (run, [run]) or at.session_state["distill_cloned"]


def test_the_best_on_validation_is_offered_first_wherever_a_model_is_chosen(own_workspace, jobs):  # noqa: F811
    _, run = example.adopt()
    found = engine.store().folder(run).result()
    names = [one["name"] for one in found["students"]]
    best = names[verdict.best_student(found)]
    assert best != names[0]
    at = open_page("export", run=run)
    assert not at.exception and at.selectbox(key=f"export-student-{run}").value == best
    assert choosing.first(found, [n for n in names if n != best]) == next(n for n in names if n != best)
    assert choosing.first({}, names) == names[0]


def test_why_the_what_if_that_compare_named_is_not_offered_stands_where_it_is_expected(own_workspace, jobs):  # noqa: F811
    what_if = make_sweep()
    _, run = example.adopt()
    name = engine.store().get(what_if).name
    at = open_page("compress", {session.COMPARED: ((what_if, run), "tiny")})
    assert not at.exception and at.selectbox(key="compress-run").value == run
    assert f"tiny of {name} is not offered: a what-if holds many settings" in words(at)
    (link,) = [one for one in at.get("page_link") if one.proto.label == t("compress.left_out_open")]
    assert f"run={what_if}" in link.proto.query_string
    looked_at = open_page("compress", {f"current.{session.RUN}": what_if})
    assert f"{name} is not offered: a what-if holds many settings" in words(looked_at)
    assert "a what-if holds many settings" not in words(open_page("compress", run=run))


def test_it_opens_with_a_student_that_can_be_made_smaller_and_names_the_trees(own_workspace, jobs):  # noqa: F811
    _, run = example.adopt()
    folder = engine.store().folder(run)
    best = choosing.first(folder.result(), runs_offered.students(folder))
    kept_as = folder.path / "artifacts" / "model.json"
    told = json.loads(kept_as.read_text())
    for one in told["students"]:
        one["arch"] = {"name": "trees", "settings": {}} if one["name"] == best else one["arch"]
    write_json(kept_as, told)
    at = open_page("compress", {session.COMPARED: ((run,), best)}, run=run)
    assert not at.exception and not at.error
    box = at.selectbox(key=f"compress-student-{run}")
    assert box.value != best and f"{best} (MLP)" in box.options
    assert str(t("compress.trees", names=best)) in words(at) and any(b.key == "compress-start" for b in at.button)
    asked = open_page("compress", run=run, student=best)  # who asks for it is told why not
    assert asked.selectbox(key=f"compress-student-{run}").value == best


def test_a_run_of_trees_alone_is_not_opened_with_and_that_is_said(own_workspace, jobs):  # noqa: F811
    _, run = example.adopt()
    other = engine.store().runs / "aa-trees"
    shutil.copytree(engine.store().folder(run).path, other)
    engine.store().refresh(other.name)
    told = json.loads((other / "artifacts" / "model.json").read_text())
    for one in told["students"]:
        one["arch"] = {"name": "trees", "settings": {}}
    write_json(other / "artifacts" / "model.json", told)
    name = engine.store().get(other.name).name
    at = open_page("compress", {f"current.{session.RUN}": other.name})
    assert not at.exception and at.selectbox(key="compress-run").value == run
    assert str(t("compress.left_out_trees", name=name)) in words(at)
    asked = open_page("compress", run=other.name)
    assert asked.selectbox(key="compress-run").value == other.name and "made of trees" in words(asked)
    assert str(t("compress.left_out_trees", name=name)) not in words(asked)
    led, not_led = words(open_page("runs", run=run)), words(open_page("runs", run=other.name))
    assert str(t("compress.link_trees")) in not_led and str(t("compress.link_trees")) not in led


@pytest.mark.slow
@pytest.mark.parametrize("first", ["linear", "tiny"], indirect=True)
def test_where_no_step_makes_the_file_smaller_that_is_said_first_with_the_reason(first, jobs):  # noqa: F811
    (student,) = runs_offered.students(engine.store().folder(first))
    at = open_page("compress", run=first)
    assert not at.exception
    said = [one.value for one in at.info if "smaller" in one.value]
    if student == "tiny":
        assert not said
        return
    (one,) = said
    why = {entry.name: why for entry, why in form.steps_of(engine.store().folder(first), student)}
    assert f"Nothing here makes {student} smaller" in one and why["prune_structured"].rstrip(".") in text.plain(
        Safe(one)
    )
