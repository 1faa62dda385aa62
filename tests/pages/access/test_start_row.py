"""On a phone the row with Start says the time alone; what is asked for is said above it, once."""

from __future__ import annotations

import pytest

from pages.ui.access import aids
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page  # noqa: F401


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("page", ["distill", "what_if"])
def test_a_phone_says_the_time_beside_start_and_the_rest_above(jobs, page, narrow, monkeypatch):  # noqa: F811
    monkeypatch.setattr(aids, "is_narrow", lambda: narrow)
    at = open_page(page)
    short = str(t("distill.time_brief", seconds="")).split("**")[0] + "**"
    assert not at.exception
    assert sum("trainings**" in m.value for m in at.markdown) == 1
    assert sum(m.value.startswith(short) for m in at.markdown) == int(narrow)
