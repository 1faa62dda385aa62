"""What a person does with a run that made a student smaller: its stages in words, what else is as small, and which one goes home."""

import json

import pytest

from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.rows import headline
from kd_core.runs.view.smaller import verdict
from pages.ui.compress import naming, siblings
from pages.ui.export import choosing
from pages.ui.runs import run_list
from pages.ui.shared import engine, text
from pages.ui.shared.text import t
from tests.pages.compress.test_told import grown, opened, smaller
from tests.pages.fixtures import done_run, make_run
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.view.compressed_block import compressed


@pytest.mark.parametrize(
    ("code", "words_"),
    [
        ("student", "student"),
        ("half-again", "halved, taught again"),
        ("cut12_5-again", "12.5 % cut, taught again"),
        ("thin25-again-int8-dynamic", "thin layers (25 % of the numbers), taught again, int8, ranges by batch"),
        ("narrow-sparse50-qat", "fewer numbers per word, 50 % of weights zero, taught in int8"),
        ("something-new", "something, new"),
    ],
)
def test_codes_of_stages_are_said_in_words(code, words_):
    assert naming.said(code) == words_


def test_every_code_that_a_step_gives_its_stage_is_known_in_words():
    from kd_core.compress.steps import STEPS

    for entry in STEPS.entries():
        code = str(entry.facts.get("short", entry.name.replace("_", "-")))
        assert code in (*naming.ALONE, *naming.SHARED), code


def smaller_of(run, **more):
    """A block of a run with the students tiny and small, of which small was made smaller and nothing keeps the goals."""
    goals = {"most_lost": 1.0, "bytes": 1000, "microseconds": None}
    return compressed(run=run, student="small", best=None, goals=goals, **more)


def test_a_smaller_student_of_the_same_run_that_is_as_good_is_named(jobs):  # noqa: F811
    run = done_run("multiclass", students=("tiny", "small"))
    tiny, _ = read_outcome(engine.store().folder(run).result()).students
    block = smaller_of(run)
    reached = tiny.own.mean("accuracy")
    for one in block["stages"]:
        one["metrics"]["accuracy"] = reached + 0.004  # the margin is 0.005
        one["bytes"] = 50 * siblings._bytes(tiny)
    said = str(siblings.line(block))
    assert "**tiny**" in said and text.size(siblings._bytes(tiny)) in said
    found = smaller()
    found["compressed"] = block
    assert said in words(opened(found))
    for one in block["stages"]:
        one["metrics"]["accuracy"] = reached + 0.006
    assert siblings.line(block) is None
    for one in block["stages"]:
        one["metrics"]["accuracy"], one["bytes"] = reached, siblings._bytes(tiny)
    assert siblings.line(block) is None  # it is no smaller
    assert siblings.line({**block, "run": "gone"}) is None


def test_where_nothing_got_smaller_the_list_says_so_and_export_says_what_it_chose_and_why(jobs, monkeypatch):  # noqa: F811
    found = smaller()
    assert headline(found).verdict == ""
    found["compressed"] = smaller_of("first")
    assert headline(found).verdict == "no_smaller" and run_list.verdict_cell(headline(found)) == "Nothing smaller"
    names = [one["name"] for one in found["compressed"]["stages"]]
    monkeypatch.setattr(engine, "models_of_run", lambda run: names)
    at = open_page("export", run=make_run("done", ("tiny",), found, task="multiclass"))
    why = choosing.why_first(found["compressed"], "student")
    assert not at.exception and str(why) in words(at) and "nothing made smaller. NOTHING keeps the goals" in str(why)
    whole = smaller()
    at = open_page("export", run=make_run("done", ("tiny",), whole, task="multiclass"))
    box = next(one for one in at.selectbox if one.key.startswith("export-student"))
    assert box.value == "half-again-int8" and "halved, taught again, int8" in box.options
    assert "Chosen at first: halved, taught again, int8. SMALLEST WITHIN THE GOALS" in words(at)
    box.set_value("student").run()
    assert "Chosen at first" not in words(at)


def test_where_nothing_is_gained_the_student_is_ringed_and_offered_to_take_home_first(jobs):  # noqa: F811
    found = smaller()
    block = found["compressed"] = grown()
    for one in block["stages"][1:]:
        one["bytes"] = 7_400  # less than the student's, and hardly so
        one["latency"] = block["stages"][0]["latency"]
    assert "hardly less" in verdict.line(block)
    at = opened(found)
    (stage,) = [s for s in at.selectbox if s.key.startswith("compress-take")]
    assert stage.value == "student" and stage.options[0] == t("export.as_it_was") and len(stage.options) > 1
    specs = [json.loads(one.proto.spec) for one in at.get("plotly_chart")]
    (ring,) = [d for s in specs for d in s["data"] if (d.get("marker") or {}).get("symbol") == "circle-open"]
    assert ring["x"] == [7_542]
    assert t("compress.chart_ring.student") in words(at) and t("compress.chart_ring.kept") not in words(at)
