"""A result on a phone: verdict and one sentence first, what they rest on folded, few lines before the first chart; nothing is lost."""

from __future__ import annotations

from pages.ui.access import aids
from pages.ui.arms import table
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, result
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def folds(at):
    return {e.label: e for e in at.expander}


def test_on_a_phone_nothing_is_lost_and_what_a_chart_was_made_from_is_still_folded(jobs, monkeypatch):  # noqa: F811
    run_id = done_run()
    wide = open_page("runs", run=run_id)
    monkeypatch.setattr(aids, "is_narrow", lambda: True)
    narrow = open_page("runs", run=run_id)
    assert not narrow.exception and not wide.exception
    evidence, made = str(t("runs.verdict.evidence")), str(t("runs.result.how_made"))
    assert {evidence, made} <= set(folds(wide)) and {evidence, made} <= set(folds(narrow))
    title, note = str(t("runs.overview.paired_title")), str(t("runs.overview.paired_note_placebo"))
    assert title in folds(narrow) and note not in words(narrow)  # a chart in a closed fold is not drawn
    drawn = open_page("runs", {"overview.paired": True}, run=run_id)
    own, whole = (sorted(words(at).replace(f"**{title}**", title).splitlines()) for at in (drawn, wide))
    assert [line for line in own if line != title] == [line for line in whole if line != title]  # nothing is lost
    inside = "\n".join(str(m.value) for m in folds(narrow)[evidence].markdown)
    assert str(t("runs.verdict.teacher_label")) in inside and "Take the tiny student" not in inside
    assert folds(narrow)[made].caption and len(narrow.table[0].value) == 3


def test_a_phone_leads_with_the_metric_of_the_verdict_size_and_time():
    few, rest = table.parts(result(plain="ahead"), 0, few=True)
    assert few.index[0] == "**ROC-AUC**" and len(few) == 3 and any(n.startswith("Latency") for n in few.index)
    assert len(few) + len(rest) == len(table.comparison_frame(result(plain="ahead"), 0))
