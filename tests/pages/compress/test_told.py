"""What a run that made a student smaller shows: the stage to take, chains as boxes, the chart and the table, all of the same numbers."""

import re

import pytest

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import same_seeds, tried, verdict
from pages.ui.access import aids
from pages.ui.compare import smaller as taken
from pages.ui.compare import standing
from pages.ui.compress import boxes, naming, points, table, told
from pages.ui.compress.typeset import typeset
from pages.ui.export import choosing
from pages.ui.shared import engine, text
from pages.ui.shared.text import catalogue, plain, t
from tests.pages.fixtures import make_run, result
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.view.compressed_block import AGAIN, compressed, difference, stage
from tests.runs.view.smaller.test_same_seeds import SCORES, few


def smaller(**more):
    found = result(task="multiclass")
    found["compressed"] = compressed(**more)
    found["artifacts"] = {k: v for k, v in found["artifacts"].items() if k != "model"}
    return found


def opened(found):
    at = open_page("runs", run=make_run("done", ("tiny",), found, task="multiclass"))
    assert not at.exception
    return at


def test_the_page_says_which_stage_to_take_and_draws_every_box(jobs):  # noqa: F811
    found = smaller()
    at = opened(found)
    said = words(at)
    assert str(typeset(verdict.line(naming.worded(found["compressed"], quoted=True)))) in said
    assert "“halved, taught again, int8”, 14 KB" in said and "half-again" not in said
    block = naming.worded(found["compressed"])
    for one in block["stages"]:
        assert f"**{one['name']}**" in said
        assert t("compress.score", metric="Accuracy", value=compress_words.score(one)) in said
    for one in block["stages"][1:]:
        assert str(typeset(compress_words.lost_briefly(block, one))) in said.replace("\u00a0", " ")
        for flag in compress_words.flags(block, boxes.weighed(block, one), brief=True):
            assert str(typeset(flag)) in said
    assert said.count("**student**") == 1  # two chains begin with it, and it is drawn once
    assert str(t("compress.as_above", stages="student")) in said
    assert str(typeset(compress_words.again(block, block["stages"][2]))) in said
    assert str(typeset(compress_words.sensitivity(block))) in said
    assert "µs" in said and not re.search(r"\d us\b", said) and str(t("compress.title")) in said
    assert [s.label for s in at.selectbox if s.key.startswith("compress-take")] == [t("compress.take")]


def test_the_edge_of_a_box_says_what_came_of_its_stage():
    block = compressed()
    block["stages"].append({**block["stages"][3], "id": 5, "passes": False, "flags": [], "reason": "it has no layers"})
    block["stages"][4] |= {"passes": False, "lost": difference(0.9)}
    assert [boxes.edge(block, one) for one in block["stages"]] == [
        "student",
        "failed",
        "kept",
        "kept",
        "unclear",
        "failed",
    ]


def test_a_stage_that_grew_has_the_edge_of_its_warning_unless_it_is_the_one_to_take():
    block = compressed()
    again, best = block["stages"][2], next(s for s in block["stages"] if s["id"] == block["best"])
    for one in (again, best):
        assert boxes.edge(block, one) == "kept"
        one["flags"] = [{"code": "bigger", "than": "half", "before": 40_000, "bytes": one["bytes"]}]
    assert any(words.startswith("BIGGER") for words in compress_words.flags(block, boxes.weighed(block, again)))
    assert boxes.edge(block, again) == "unclear"
    assert boxes.taken(block, best) and boxes.edge(block, best) == "kept"  # its badge says so
    again["passes"], again["lost"] = False, difference(9.0)
    assert boxes.edge(block, again) == "failed"


def test_warnings_are_told_where_they_matter_to_the_goals():
    block = compressed()
    half, again, last = block["stages"][1], block["stages"][2], block["stages"][4]

    def told(one):
        return [flag["code"] for flag in boxes.weighed(block, one)["flags"]]

    assert told(last) == ["slower", "slower", "unlike"]
    block["goals"]["microseconds"] = 1000.0
    assert told(last) == ["unlike"]  # 90 µs are well within what was asked for
    block["goals"]["microseconds"] = 80.0
    assert told(last) == ["slower", "unlike"]
    half["flags"] = [{"code": "lost", "sure": True}, {"code": "unlike", "agreement": 0.5, "before": 0.5}]
    again["flags"] = [{"code": "unlike", "agreement": 0.97, "before": 0.507}]  # repaired
    last["flags"] = [{"code": "unlike", "agreement": 0.97, "before": 0.9926}]  # as the stage before
    assert (told(half), told(again), told(last)) == (["lost", "unlike"], [], [])


def test_the_table_holds_the_numbers_of_the_block_and_a_stage_that_was_not_made_none():
    block = compressed()
    block["stages"][4] |= {"reason": "it has no layers", "bytes": None, "scores": [], "lost": None, "latency": {}}
    frame = table.frame(block)
    assert list(frame[str(t("compress.table.stage"))]) == [one["name"] for one in block["stages"]]
    assert list(frame[str(t("compress.table.size"))]) == ["84 KB", "46 KB", "46 KB", "14 KB", "–"]
    assert list(frame[str(t("compress.table.score", metric="Accuracy"))])[3:] == ["0.9265", "–"]
    kept, lost = str(t("compress.table.kept")), str(t("compress.table.missed"))
    assert list(frame[str(t("compress.table.goals"))]) == ["–", lost, kept, kept, "–"]
    assert frame[str(t("compress.table.lost"))][3] == "0.06 points lost [−0.10, +0.22]"
    assert frame[str(t("compress.table.time"))][3] == text.milliseconds(0.03)
    assert frame[str(t("compress.table.from"))][3] == "half-again"


def test_without_a_scan_and_without_a_stage_to_take_the_page_says_so(jobs):  # noqa: F811
    block = compressed(sensitivity=[], best=None, known=[{"code": "alone", "values": {}}])
    at = opened(smaller(**{k: block[k] for k in ("sensitivity", "best", "known")}))
    said = words(at)
    (stage,) = [s for s in at.selectbox if s.key.startswith("compress-take")]
    assert stage.value is None and str(t("compress.chart_ring.kept")) not in said
    assert "NOTHING SMALLER keeps the goals" in said and str(t("compress.layers.none")) in said
    assert "trained without a teacher" in said and str(t("compress.take_words.kept")) not in said


def test_names_of_stages_and_reasons_are_shown_literally(jobs):  # noqa: F811
    found = smaller()
    found["compressed"]["stages"][3] |= {"name": "<b>x</b>"}
    found["compressed"]["stages"][4] |= {
        "reason": "![x](http://evil.example)",
        "bytes": None,
        "scores": [],
        "lost": None,
    }
    said = words(opened(found))
    assert "<b>" not in said and "![x]" not in said and plain(t("compress.not_made", why="")).strip(" :") in said


def test_sentences_are_set_as_a_page_does():
    assert typeset("1 us -> 2 us +-0.1, -0.2") == "1 µs → 2 µs ±0.1, −0.2" and "plus" in typeset("plus")


def test_every_word_of_a_step_and_a_cost_is_in_the_catalogue():
    for name in table.COLUMNS:
        assert f"compress.table.{name}" in catalogue()
    for cost in points.COSTS:
        assert {f"compress.costs.{cost}", f"compress.axis.{cost}"} <= set(catalogue())
    assert told.behind(compressed()) and difference(0.1)["n"] == 3


@pytest.mark.parametrize("mixed", [False, True])
def test_means_that_stand_beside_each_other_are_over_the_same_seeds(jobs, mixed):  # noqa: F811
    every = stage(2, 0, AGAIN, "again", seeds=[0, 1, 2, 3, 4], scores=SCORES, score=0.938)
    block = few(every) if mixed else few()
    found = {**smaller(), "compressed": block}
    said = words(opened(found))
    assert "2 of 5 seeds" in said and "over 5 seeds on test rows" not in said
    same = str(t("compress.beside", num=2, value="0.9250"))
    assert (same in said) is mixed and ("Accuracy 0.9250" in said) is not mixed
    block = same_seeds.of(block)
    frame = table.frame(block)
    scores, lost = (list(frame[str(t(f"compress.table.{n}", metric="Accuracy"))]) for n in ("score", "lost"))
    assert scores[:2] == (["0.9380", "0.9200"] if mixed else ["0.9250", "0.9200"]) and (same in lost[1]) is mixed
    placed = {p["id"]: p for p in points.points({**found, "compressed": block}, "bytes")}
    drawn = {id: p["y"] for id, p in placed.items()}
    start, end = points.path(block, [1])
    assert (placed[end]["low"], placed[end]["high"]) == pytest.approx((0.925 - 0.007, 0.925 - 0.003))
    assert drawn[start] == pytest.approx(0.925) and drawn[end] == 0.92 and ("stage-2" in drawn) is mixed


def test_export_and_compare_tell_the_student_over_the_same_seeds(jobs):  # noqa: F811
    found = {**smaller(), "compressed": few()}
    same = str(t("compress.reached", share="2 of 5 seeds", value="0.9250"))
    assert same in str(choosing.standing(found, "int8")) and same in standing.less(found["compressed"], "accuracy")
    assert taken.taken(found)["name"] == "tiny · int8 (2 of 5 seeds)"
    whole = smaller()
    assert "seeds" not in str(choosing.standing(whole, "half-again-int8")) + taken.taken(whole)["name"]


def test_a_phone_says_the_answer_first_and_folds_what_it_rests_on(jobs, monkeypatch):  # noqa: F811
    found = smaller()
    wide = opened(found)
    monkeypatch.setattr(aids, "is_narrow", lambda: True)
    narrow = opened(found)
    parts = [str(t(f"compress.{one}")) for one in ("chains", "layers.title", "table.title")]
    folds = {e.label: e for e in narrow.expander if e.label in parts}
    assert list(folds) == parts and not any(e.proto.expanded for e in folds.values())
    assert not [e for e in wide.expander if e.label in parts]
    said = [line.removeprefix("##### ") for line in words(narrow).splitlines()]
    assert sorted({*said, *parts}) == sorted({line.removeprefix("##### ") for line in words(wide).splitlines()})
    inside = "\n".join(m.value for m in folds[parts[0]].markdown)
    assert "**halved**" in inside
    assert str(typeset(verdict.line(found["compressed"]))) not in inside


@pytest.mark.parametrize(("lost", "word"), [((0.06, 0.16), "kept"), ((0.9, 0.4), "unproved"), ((1.9, 0.4), "missed")])
def test_one_word_and_one_colour_stand_by_the_stage_to_take_wherever_it_is_told(jobs, lost, word):  # noqa: F811
    found = smaller()
    best = found["compressed"]["stages"][3]
    best |= {"passes": word == "kept", "lost": difference(*lost)}
    said = words(at := opened(found))
    colour = boxes.BADGES[word][1]
    badges = [m.value for m in at.markdown if "-badge[" in m.value and str(t(f"compress.take_words.{word}")) in m.value]
    assert len(badges) == 2 and all(f":{colour}-badge[" in one for one in badges)  # by the verdict, and in its box
    for other in {"kept", "unproved", "missed"} - {word}:
        assert str(t(f"compress.take_words.{other}")) not in said
    assert str(t(f"compress.chart_ring.{word}")) in said
    goals = list(table.frame(found["compressed"])[str(t("compress.table.goals"))])
    assert goals[3] == str(t(f"compress.table.{word}"))
    if word != "kept":
        assert str(t(f"compress.within.{word}")) in standing.less(found["compressed"], "accuracy")


def test_a_search_that_nothing_came_of_says_what_comes_nearest_and_how_many_were_tried(jobs):  # noqa: F811
    goals = {"most_lost": 2.0, "bytes": 6144, "microseconds": None}
    one = {"name": "int8", "bytes": 6544, "lost": 0.1, "keeps": False, "why": None, "chain": [], "seconds": 1.0}
    found = smaller(best=None, searched=True, tried=[one, {**one, "name": "fp16"}], goals=goals)
    said = words(opened(found))
    read = naming.worded(found["compressed"], quoted=True)
    for line in (*verdict.nearest(read), tried.line(read)):
        assert str(typeset(line)) in said
    assert "Chains: " not in said and "keep the student as it was" not in said


def test_export_repeats_what_is_not_proved_of_the_stage_that_is_taken_home(jobs, monkeypatch):  # noqa: F811
    found = smaller()
    found["compressed"]["stages"][3] |= {"passes": False, "lost": difference(0.9, 0.4)}
    monkeypatch.setattr(engine, "models_of_run", lambda run: [one["name"] for one in found["compressed"]["stages"]])
    run = make_run("done", ("tiny",), found, task="multiclass")
    warnings = {}
    for name in ("student", "half-again", "half-again-int8", "int8"):
        at = open_page("export", run=run, student=name)
        assert not at.exception
        warnings[name] = [m.value for m in at.markdown if m.value.startswith(":orange[:material/warning:]")]
    assert warnings["student"] == warnings["half-again"] == []
    (unproved,) = warnings["half-again-int8"]
    assert "NOT PROVED (at most 1 point lost): 0.90 points lost" in unproved and "beyond 1 point" in unproved
    assert len(warnings["int8"]) == 2 and "SLOWER" in warnings["int8"][1]


def grown(**more):
    """A student of a few KB whose first stage keeps every goal, is faster, and is larger than the student."""
    block = compressed()
    student, *_ = block["stages"]
    student["bytes"] = 7_542
    for one in block["stages"][1:]:
        one["bytes"] = 7_575
        one["latency"] = {"whole": {"1": {"p50": 0.01, "p95": 0.01}}}
    return {**block, **more}


def test_a_stage_that_is_no_smaller_is_never_named_as_the_one_to_take(jobs):  # noqa: F811
    block = grown()
    assert block["best"] is not None  # as an older result may have it
    assert verdict.takeable(block) == [] and not verdict.gains(block, compress_words.chosen(block))
    assert verdict.line(block).startswith("NOTHING GAINED") and "no less than" in verdict.line(block)
    assert verdict.nearest({**block, "best": None}) == []
    found = smaller()
    found["compressed"] = block
    at = opened(found)
    assert not [s for s in at.selectbox if s.key.startswith("compress-take")]
    for word in ("kept", "unproved", "missed"):
        assert str(t(f"compress.take_words.{word}")) not in words(at)


def test_where_the_student_itself_breaks_a_goal_a_larger_stage_may_be_taken():
    block = grown()
    block["goals"]["microseconds"] = 20
    block["stages"][0]["latency"] = {"whole": {"1": {"p50": 0.05, "p95": 0.05}}}
    assert verdict.misses(block, compress_words.student(block)) and verdict.takeable(block)
