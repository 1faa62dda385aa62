"""Rows with several labels on the screens."""

from __future__ import annotations

import numpy as np
import pytest

from pages.ui.charts.confusion import found_and_missed
from pages.ui.shared import engine
from pages.ui.shared.text import t
from pages.ui.tasks import labels
from tests.pages.data.test_data import upload
from tests.pages.screen import HOSTILE, jobs, words  # noqa: F401

BAD = HOSTILE[0]
CLASSES = ["food", BAD, "toys"]


def one(rows, f1, gain=None):
    sides = ("teacher", "baseline", "student")
    return {
        "rows": rows,
        "f1": dict.fromkeys(sides, f1),
        "average_precision": dict.fromkeys(sides, f1),
        "counts": {side: [rows * 0.75, rows * 0.25, 2.0] for side in sides},
        "gain": gain,
    }


def test_labels_are_listed_those_of_most_rows_first():
    told = [
        one(10, 0.5, {"mean": 0.0123, "ci_family": [-0.01, 0.0346]}),
        one(40, 0.7),
        one(20, None, {"mean": -0.5, "ci_family": [None, None]}),
    ]
    frame = labels.table(told, CLASSES)
    assert frame[str(t("labels.label"))].tolist() == [BAD, "toys", "food"]
    assert frame[str(t("labels.gain"))].tolist() == ["–", "−50.0 points", "+1.2 points [−1.0, +3.5]"]
    assert frame.shape == (3, 9)


def test_what_is_missed_most_is_said():
    counts = np.array([[30, 2, 1], [10, 8, 0], [5, 0, 0]])
    said = str(labels.summary(counts, CLASSES, "student"))
    assert "8 of 18 rows" in said and BAD not in said, "a name from a file is escaped"
    assert t("labels.mistakes_perfect", arm="student") == labels.summary(counts * [1, 0, 1], CLASSES, "student")


def test_a_row_shows_its_own_labels_and_the_surest_ones():
    p = {arm: np.linspace(0.9, 0.1, 40)[None] for arm in ("teacher", "baseline", "student")}
    has = np.zeros(40, bool)
    has[[3, 39]] = True
    shown = labels.drawn_labels(p, has, 0)
    assert len(shown) == labels.BARS and {3, 39} <= set(shown) and shown == sorted(shown)
    assert labels.shares(np.array([[0.0, 900.0, -900.0]]), 1.0).tolist() == [[0.5, 1.0, pytest.approx(0.0, abs=1e-200)]]


def test_names_stand_literally_in_the_chart():
    drawn = found_and_missed(np.array([[3, 1, 2]]), [BAD], words=["found", "missed", "wrong"], x_title="rows")
    assert "<script>" not in str(drawn.to_plotly_json() if hasattr(drawn, "to_plotly_json") else drawn)


def lists(rows: int = 200) -> bytes:
    rng = np.random.default_rng(0)
    few = ["food", "books", "toys, games"]
    cells = [";".join(n for n in few if rng.random() < 0.4) for _ in range(rows)]
    return ("x,tags\n" + "\n".join(f'{i % 17},"{c}"' for i, c in enumerate(cells))).encode()


@pytest.mark.slow
def test_a_column_of_lists_is_proposed_drawn_and_taken(jobs):  # noqa: F811
    at = upload("shop.csv", lists())
    assert not at.exception
    if t("data.ask_target") in words(at):
        at.button(key="data-candidate-tags").click().run()
    assert at.selectbox(key="data.target").value == "tags" and t("labels.frequencies") in words(at)
    at.button(key="data-use").click().run()
    assert not at.exception and at.title[0].value == t("distill.title")
    assert engine.library().specs()[0][1].task == "multilabel"


@pytest.mark.slow
def test_more_columns_are_predicted_with_the_target(jobs):  # noqa: F811
    rng = np.random.default_rng(0)
    y = (rng.random((200, 3)) < 0.4).astype(int)
    lines = [f"{rng.normal():.3f},{a},{b},{c}" for a, b, c in y]
    at = upload("flags.csv", ("x,food,books,target\n" + "\n".join(lines)).encode())
    assert not at.exception and at.selectbox(key="data.target").value == "target"
    at.multiselect(key="data.more_targets").set_value(["food", "books"]).run()
    assert not at.exception and t("labels.frequencies") in words(at)
    at.button(key="data-use").click().run()
    spec = engine.library().specs()[0][1]
    assert (spec.task, spec.target, spec.more_targets) == ("multilabel", "target", ("food", "books"))
