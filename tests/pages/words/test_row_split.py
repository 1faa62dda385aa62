"""How rows are split, told on Distill."""

from __future__ import annotations

import pytest

from kd_core.scenarios import default_spec
from pages.ui.shared import engine
from pages.ui.words import row_split
from tests.pages.screen import jobs, open_page, words  # noqa: F401

SHARES = "70 % train, 15 % validate, 15 % test"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, f"Rows are split at random: {SHARES}."),
        ({"group": "user"}, f"Rows are split at random, those with the same user together: {SHARES}."),
        (
            {"time": "day"},
            "Rows are split by time, by day: the oldest 70 % train, the next 15 % validate, the newest 15 % test.",
        ),
        (
            {"time": "day", "group": "user", "test_share": 0.3},
            "Rows are split by time, by day: the oldest 55 % train, the next 15 % validate, the newest 30 % test. Rows with the same user stay together.",
        ),
        ({"time": "day", "part": "fold"}, "Rows are split as fold says."),
    ],
)
def test_what_decides_the_split_is_named(more, told):
    data = default_spec("purchase").dataset.model_copy(update={"group": None, "time": None, "part": None, **more})
    assert row_split.line(data) == told


def test_a_split_by_time_stands_in_the_plan(jobs, tmp_path):  # noqa: F811
    file = tmp_path / "shop.csv"
    rows = (f"2024-{1 + i // 28:02}-{1 + i % 28:02},{i % 7},{'yes' if i % 3 else 'no'}" for i in range(300))
    file.write_text("day,pages,bought\n" + "\n".join(rows))
    data = default_spec("purchase").dataset.model_copy(
        update={
            "source": str(file),
            "sha256": None,
            "name": "shop",
            "target": "bought",
            "positive": None,
            "group": None,
            "time": "day",
        }
    )
    at = open_page("distill", data=engine.library().save_spec(data))
    assert not at.exception and "Rows are split by time, by day: the oldest 70 % train" in words(at)
