"""A student being made smaller: boxes fill as stages are made, seed by seed."""

from kd_core.specs import Choice
from pages.ui.compress import live, naming
from pages.ui.shared.text import catalogue, t
from tests.pages.fixtures import make_run, spec, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401

STEPS = [{"name": "distill", "settings": {}}]
NAME = live.planned([[Choice.model_validate(STEPS[0])]])[0][1]


def event(seed, name="distill", side="taught", **more):
    told = {"kind": "stage", "name": name, "seed": seed, "side": side, "bytes": 2048, "score": 0.9 + 0.01 * seed}
    return {**told, "id": 1, "chain": 0, "stage": 0, "seconds": 1.0, "reason": None, "done": 1, "of": 6, **more}


def running(monkeypatch, events, chains=(STEPS,), state="running"):
    made = spec(seeds=3)
    small = {"run": "first", "student": "tiny", "chains": list(chains)}
    made = type(made).parse({**made.model_dump(), "compress": small})
    monkeypatch.setattr("tests.pages.fixtures.spec", lambda **_: made)
    plan = {"kind": "plan", "trainings": 0, "phases": ["data", "teacher", "compress", "evaluate"], "metric": "roc_auc"}
    plan |= {"work": [{"kind": "compress", "phases": ["compress"], "seconds": 60.0}]}
    begun = {"kind": "phase", "phase": "compress", "state": "start"}
    at = open_page("runs", run=make_run(state, events=[plan, begun, *events]))
    assert not at.exception
    return words(at)


def test_boxes_wait_fill_seed_by_seed_and_are_done(jobs, monkeypatch):  # noqa: F811
    said = running(monkeypatch, [event(s, "student", id=0) for s in range(3)] + [event(0, NAME)])
    assert "**student**" in said and f"**{naming.said(NAME)}**" in said
    assert "validation 0.9000" in said and str(t("compress.live.seeds", done=1, of=3)) in said
    assert "2 KB · validation 0.9100" in said  # the mean of all seeds of the student as it was
    assert str(t("compress.live.waiting")) in running(monkeypatch, [])


def test_a_search_shows_what_was_tried(jobs, monkeypatch):  # noqa: F811
    one = {"kind": "tried", "bytes": 2048, "keeps": True, "why": None, "seconds": 1.0, "lost": 0.1}
    every = [{**one, "name": f"s{i}", "done": i + 1} for i in range(live.NEWEST + 3)]
    every[-1] |= {"keeps": False}
    every[-2] |= {"bytes": None, "keeps": False, "why": "it has no layers"}
    part = {"kind": "part", "phase": "compress", "done": 7, "of": 61, "what": "search:s14"}
    said = running(monkeypatch, [*every, part], ())
    assert str(t("compress.live.tried", num=live.NEWEST + 3)) in said
    assert str(t("runs.phase.units", done=7, of=61)) not in said
    assert "**s3**" in said and "**s2**" not in said and str(t("runs.units.search", done=7, of=61)) in said
    assert (
        f"2 KB · {t('compress.live.keeps')}" in said
        and f":material/close: 2 KB · {t('compress.live.keeps_not')}" in said
    )
    assert ":material/check: 2 KB · " + str(t("compress.live.keeps_not")) not in said
    assert str(t("compress.not_made", why="it has no layers")) in said and str(t("compress.live.found")) not in said
    said = running(monkeypatch, [*every, part, event(0, "narrow"), {**part, "of": 6, "what": "compress:narrow"}], ())
    assert str(t("compress.live.found")) in said and str(t("compress.live.seeds", done=1, of=3)) in said
    assert str(t("runs.units.compress", done=7, of=6)) in said


def test_twins_without_a_teacher_are_no_seeds_and_a_failed_stage_says_why():
    made = live.by_name([event(0), event(0, side="again"), event(1, reason="it has no layers", score=None)])
    assert [one["seed"] for one in made["distill"]] == [0, 1]
    assert live.filled((), 3) is None
    state, words_ = live.filled([event(0, reason="it has no layers")], 3)
    assert state == "missed" and "no layers" in words_
    assert live.filled([event(s) for s in range(3)], 3)[0] == "done"
    assert live.filled([event(0)], 3)[0] == "running"


def test_a_new_attempt_begins_with_no_stage(jobs):  # noqa: F811
    plan = {"kind": "plan", "trainings": 0, "phases": ["compress"], "metric": "roc_auc"}
    again = {"kind": "state", "state": "running"}
    run = make_run("running", events=[again, plan, event(0), event(1), again, plan, event(0)])
    assert [one["seed"] for one in store().snapshot(run).stages] == [0]
    assert "runs.phase.compress" in catalogue()


def test_a_run_that_was_stopped_before_its_chains_were_carried_out_says_so(jobs, monkeypatch):  # noqa: F811
    said = running(monkeypatch, [], state="cancelled")
    assert str(t("runs.ended.cancelled_smaller")) in said and str(t("runs.ended.cancelled")) not in said
