"""A verdict in few sentences: what it means with its interval, and what to do next; what it rests on is one fold away."""

from __future__ import annotations

import html
import re

import pytest

from pages.ui.result import page, verdict
from pages.ui.shared.text import t
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
    ahead = [html.unescape(line) for line, _ in page.next_steps(said, found, best)]
    assert seen[1:] == ahead[:room] and all(line in folded for line in ahead[room:])
    for line in (said.source, said.teacher, said.reason, said.reads, *said.plain):
        assert line is None or html.unescape(str(line)) in folded, line
