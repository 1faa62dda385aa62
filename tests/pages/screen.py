"""Opens a screen without a browser, with a job service that only takes notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from kd_core.errors import KDError
from pages.ui.shared import engine

MAIN = str(Path(__file__).resolve().parents[2] / "pages" / "main.py")
HOSTILE = (
    "<script>alert(1)</script>",
    "![x](http://evil.example/x.png)",
    "$\\href{javascript:alert(1)}{y}$",
    "a\u202eb",
    "**bold** :smile:",
)


class Jobs:
    """Stands in for the job service: creates queued runs, trains nothing."""

    def __init__(self) -> None:
        self.submitted: list[Any] = []
        self.refuse: KDError | None = None

    def submit(self, spec: Any, *, click: str | None = None, again: bool = False) -> str:
        if self.refuse:
            raise self.refuse
        self.submitted.append((spec, click, again))
        return engine.store().create(spec, click=click)

    def go_on(self, run_id: str, added: Any) -> str:
        if self.refuse:
            raise self.refuse
        self.submitted.append((run_id, added))
        return run_id


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """The note-taking job service, in place of the real one."""
    service = Jobs()
    monkeypatch.setattr(engine, "jobs", lambda: service)
    return service


def open_page(page: str | None = None, kept: dict[str, Any] | None = None, **query: str) -> AppTest:
    """Open the app at a page, as its address does, with what the session has kept; the page is drawn once, and no other before it."""
    engine._store.cache_clear()
    at = AppTest.from_file(MAIN, default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    for key, value in (kept or {}).items():
        at.session_state[key] = value
    if page:
        at._page_hash = calc_hash(page.replace("_", "-"))  # `switch_page` knows addresses only after a first drawing
    return at.run()


def words(at: AppTest) -> str:
    """Everything the page says, as one text."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "metric")
    return "\n".join(str(getattr(e, "value", "")) for kind in kinds for e in getattr(at, kind))


def live_charts(at):
    """What is sent for each chart of training curves."""
    made = [c.proto for c in at.get("bidi_component") if "kd_live_chart" in c.proto.component_name]
    return [json.loads(one.json) for one in made]
