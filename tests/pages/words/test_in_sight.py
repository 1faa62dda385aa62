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
    room = max(1, page.IN_SIGHT - (len(every) - len(seen)))  # a warning takes a place
    assert 1 <= sum(map(sentences, seen)) <= 5
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
    assert [line.startswith("**Try next") for line, _ in page.next_steps(verdict.judge(hurt, 0), hurt, 0)[0]] == [True]
    several = result(students=("tiny", "small"), plain="unclear")
    for one, score, size in zip(several["students"], (0.858, 0.86), (5_000, 9_000), strict=True):
        one["margin"], one["deployed"] = 0.005, {"bytes": size}
        one["selection"] = {"student": [{"score_selected": score}], "baseline": []}
        one["reference"]["best"]["metrics"]["roc_auc"]["mean"] = 0.8
    seen, folded = page.next_steps(verdict.judge(several, 1), several, 1)
    assert [line.startswith("Or take") for line, _ in seen] == [True]
    assert any("simpler one may do as well" in line for line, _ in folded)


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
