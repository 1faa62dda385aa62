"""The row with Start says the time alone; what is asked for is said above it, once."""

from __future__ import annotations

import pytest

from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page  # noqa: F401


@pytest.mark.parametrize("page", ["distill", "what_if"])
def test_the_time_stands_beside_start_and_the_rest_above(jobs, page):  # noqa: F811
    at = open_page(page)
    short = str(t("distill.time_brief", seconds="")).split("**")[0] + "**"
    assert not at.exception
    assert sum("trainings**" in m.value for m in at.markdown) == 1
    assert sum(m.value.startswith(short) for m in at.markdown) == 1
