"""From a finished run to making its student smaller: which student the way names."""

from __future__ import annotations

from pages.ui.result import page
from pages.ui.shared import example
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page  # noqa: F401


def test_beside_the_way_to_another_model_the_student_that_is_made_smaller_is_named(own_workspace, jobs, monkeypatch):  # noqa: F811
    def labels(run):
        return [str(one.proto.label) for one in open_page("runs", run=run).get("page_link")]

    run = example.adopt()[1]
    named = str(t("compress.link_other", name="small"))
    assert str(t("compress.link")) in labels(run) and named not in labels(run)
    monkeypatch.setattr(page.decision, "kept", lambda *_: ("plain linear", t("runs.decision.plain", title="linear")))
    shown = labels(run)
    assert named in shown and str(t("compress.link")) not in shown
    assert "Use the plain model (linear) outside" in shown
