"""A verdict in few sentences: what it means with its interval, and what to do next; what it rests on is one fold away."""

from __future__ import annotations

import html
import re

import pytest

from pages.ui.result import page, verdict
from pages.ui.shared import text
from pages.ui.shared.text import t
from pages.ui.words import in_short
from tests.pages.fixtures import done_run
from tests.pages.results import result
from tests.pages.screen import jobs, open_page  # noqa: F401

WIDE = {"code": "wide_interval", "values": {}}
SAME = {"code": "same", "values": {}}


def lines(block):
    """The texts of a part of the page that are not folded away."""
    for one in block.children.values():
        if one.type == "expander":
            continue
        if getattr(one, "children", None):
            yield from lines(one)
        elif one.type == "markdown":
            yield html.unescape(str(one.value))


def sentences(line):
    return len(re.findall(r"[.!?](?:\s|$)", re.sub(r"\*\*[^*]+\*\*\.?", "", line)))


def around(block, label):
    """The block in which a fold stands."""
    for one in block.children.values():
        if one.type == "expander" and one.label == label:
            return block
        if getattr(one, "children", None) and (found := around(one, label)):
            return found
    return None


def card(at):
    """The frame of the verdict, and what its fold holds."""
    label = str(t("runs.verdict.evidence"))
    fold = next(e for e in at.expander if e.label == label)
    return around(at.main, label), "\n".join(html.unescape(str(m.value)) for m in (*fold.markdown, *fold.caption))


@pytest.mark.parametrize(
    ("word", "more"),
    [
        ("beats", {}),
        ("beats", {"students": ("tiny", "small"), "plain": "behind"}),
        ("ties", {"reason": SAME}),
        ("hurts", {"reason": {"code": "soft_share", "values": {"alpha": 0.7}}}),
        ("inconclusive", {"reason": WIDE, "advice": {"kind": "rows", "need": 900}}),
    ],
)
def test_few_sentences_stand_in_sight_and_all_others_one_fold_away(jobs, word, more):  # noqa: F811
    found = result(verdict=word, test_reads=12, **more)
    at = open_page("runs", run=done_run(verdict=word, test_reads=12, **more))
    assert not at.exception
    shown, folded = card(at)
    every = [line for line in lines(shown) if not line.startswith("#####") and "-badge[" not in line]
    seen = [line for line in every if ":material/warning:" not in line]
    room = max(page.MUST, page.IN_SIGHT - (len(every) - len(seen)))  # a warning takes a place
    assert 1 <= sum(map(sentences, seen)) <= 6
    best = verdict.best_student(found)
    said = verdict.judge(found, best)
    assert html.unescape(str(said.gain)) in seen[0]  # with its interval, beside what it means
    ahead, other = ([html.unescape(line) for line, _ in part] for part in page.next_steps(said, found, best))
    assert seen[1:] == ahead[:room] and all(line in folded for line in [*ahead[room:], *other])
    assert len(ahead) <= page.IN_SIGHT and sum("Try next" in line or "to try." in line for line in ahead) <= 1
    assert sum("Or take" in line or "simpler one" in line for line in ahead) <= 1
    amount = re.search(r"[+−][0-9.]+ points", seen[0])
    assert amount is None or seen[0].count(amount[0]) == 1  # the gain is told once
    for line in (said.source, said.teacher, said.reason, said.reads, *said.plain):
        assert line is None or html.unescape(str(line)) in folded, line


def test_a_hurt_student_gets_one_advice_and_a_better_one_no_second_model_beside_the_smaller():
    hurt = result(verdict="hurts", reason={"code": "soft_share", "values": {"alpha": 0.7}})
    hurt["teacher"]["metrics"]["roc_auc"] = 0.8  # worse than the small model alone: another teacher comes first
    hurt["students"][0]["versus_teacher"]["roc_auc"] |= {"mean": 0.06, "ci95": [0.04, 0.08]}
    seen, folded = page.next_steps(verdict.judge(hurt, 0), hurt, 0)
    assert "first thing to try" in seen[0][0] and not any("Try next" in line for line, _ in seen)
    assert any("Try next" in line for line, _ in folded)
    hurt["students"][0]["versus_teacher"]["roc_auc"]["ci95"] = [-0.01, 0.08]  # too near to tell: no advice
    hurt["students"][0]["placebo"] = None
    assert [line.startswith("**Try next") for line, _ in page.next_steps(verdict.judge(hurt, 0), hurt, 0)[0]] == [True]
    several = result(students=("tiny", "small"), plain="unclear")
    for one, score, size in zip(several["students"], (0.858, 0.86), (5_000, 9_000), strict=True):
        one["margin"], one["deployed"] = 0.005, {"bytes": size}
        one["selection"] = {"student": [{"score_selected": score}], "baseline": []}
        one["reference"]["best"]["metrics"]["roc_auc"]["mean"] = 0.8
    seen, folded = page.next_steps(verdict.judge(several, 1), several, 1)
    assert [line.startswith("Smaller and nearly as good") for line, _ in seen] == [True, False]
    assert "simpler one may do as well" in seen[1][0] and not folded  # Start says it as well: it is not hidden here
    ahead = result(students=("tiny", "small"), plain="ahead")
    seen, _ = page.next_steps(verdict.judge(ahead, 1), ahead, 1)
    assert not any("plain model" in line for line, _ in seen)


def test_a_teacher_worse_than_the_small_model_is_said_before_more_rows_are_asked_for():
    found = result(verdict="inconclusive", reason=WIDE, advice={"kind": "rows", "need": 12_000}, plain="unclear")
    one = found["students"][0]
    one["reference"]["best"]["metrics"]["roc_auc"]["mean"] = 0.9  # the plain one is taken
    found["teacher"]["metrics"]["roc_auc"] = 0.8
    one["versus_teacher"]["roc_auc"] |= {"mean": 0.06, "ci95": [0.04, 0.08]}
    seen, folded = page.next_steps(verdict.judge(found, 0), found, 0)
    assert "Another teacher is the first thing to try" in seen[0][0] and "plain model" in seen[1][0]
    assert not any("12,000" in line for line, _ in seen) and any("12,000" in line for line, _ in folded)
    assert page.MUST >= 2  # a warning folds neither of them away


def test_a_placebo_is_told_in_sight_only_where_it_is_surely_better():
    found = result(plain="unclear")
    one = found["students"][0]
    one["placebo"]["gain"]["roc_auc"] |= {"mean": -0.02, "ci95": [-0.03, -0.01]}
    said = in_short.placebo(found, 0)
    theirs, own = one["placebo"]["metrics"]["roc_auc"]["mean"], one["metrics"]["roc_auc"]["mean"]
    assert said.endswith(f"ROC-AUC {text.score(theirs)} against {text.score(own)}.") and "is the placebo" in said
    assert said in [line for line, _ in page.next_steps(verdict.judge(found, 0), found, 0)[0]]
    one["placebo"]["gain"]["roc_auc"]["ci95"] = [-0.03, 0.001]
    assert in_short.placebo(found, 0) is None


@pytest.mark.parametrize("standing", ["level", "behind", "unclear"])
def test_a_plain_model_of_the_same_kind_is_not_called_another_one(standing):
    found = result(plain=standing)
    one = found["students"][0]
    best = one["reference"]["best"]
    one["arch"] = {"name": "linear", "settings": {}}
    assert "A plain model of its size, 30 trees of 4 leaves" in in_short.beside(found, 0) or standing == "unclear"
    best["arch"], best["bytes"] = one["arch"], one["deployed"]["bytes"]
    for score in (0.9, 0.8):
        best["metrics"]["roc_auc"]["mean"] = score
        said = in_short.beside(found, 0)
        assert "he same model" in said and "A plain model of its size" not in said and "simpler one may" not in said


@pytest.mark.parametrize("more", [-300, 200, 90_000])
def test_the_edge_of_a_size_does_not_hide_a_plain_model_that_is_a_little_larger(more):
    found = result(plain="ahead")
    student = found["students"][0]
    size = student["deployed"]["bytes"]
    student["reference"]["smallest"] = {**student["reference"]["best"], "title": "30 trees", "bytes": size + more}
    told = in_short.beside(found, 0)
    larger = t("runs.in_short.plain_ahead_larger", title="30 trees", size=text.size(size + more), own=text.size(size))
    assert (told == larger) == (more > 0)
    assert ("the one to use" in told) == (more < 0)


@pytest.mark.parametrize(
    ("seeds", "rows", "helps"), [(0.01, 0.03, "More test rows help"), (0.03, 0.01, "A steadier student helps")]
)
def test_a_thousand_seeds_are_no_advice_and_what_helps_instead_is_told(seeds, rows, helps):
    found = result(verdict="inconclusive", reason=WIDE, advice={"kind": "seeds", "need": 1070}, plain="ahead")
    found["students"][0]["gain"]["roc_auc"] |= {"seeds_half": seeds, "rows_half": rows}
    said = str(verdict.judge(found, 0).settle)
    assert said.startswith("More seeds than are sensible, about 1,070 in all. ") and helps in said
    assert any(said in line for line, _ in page.next_steps(verdict.judge(found, 0), found, 0)[0])
