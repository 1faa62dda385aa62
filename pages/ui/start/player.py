"""The example's curves in the browser: they play by themselves, and by key; the server is asked nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui.charts.marks import COLOUR
from pages.ui.result.differences import metric_title
from pages.ui.shared import text
from pages.ui.shared.picture import BROWSER, style
from pages.ui.shared.text import Safe, catalogue, plain, t, term
from pages.ui.start.learning import Learning

WORDS = "start.play."
_curves = st.components.v2.component(
    "kd_learning",
    html="<div class='place'>\n</div>",
    css=style("component", "start/learning"),
    js="\n".join((BROWSER / f"{name}.js").read_text("utf-8") for name in ("live_chart/scales", "start/learning")),
)


def payload(learned: Learning, result: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what the browser draws; every value is the run's own."""
    seeds, told = len(learned.arms["student"].seeds), [term("auc")] if learned.metric == "roc_auc" else []
    word = {key.removeprefix(WORDS): said for key, said in catalogue().items() if key.startswith(WORDS)}
    return {
        "epochs": learned.epochs,
        "lower": learned.lower_is_better,
        "teacher": learned.teacher,
        "mean": {arm: list(one.mean) for arm, one in learned.arms.items()},
        "seeds": {arm: [list(scores) for scores in one.seeds] for arm, one in learned.arms.items()},
        "metric": metric_title(learned.metric),
        "note": plain(Safe(" ".join([t("start.play_note", n=seeds), *told]))),
        "test": on_test(learned, result),
        "colours": {name: COLOUR[name] for name in ("teacher", "student", "baseline")},
        "words": word,
    }


def on_test(learned: Learning, result: Mapping[str, Any]) -> dict[str, str] | None:
    """Write the same scores on test rows, as the text beside tells them; None where the result has none in the metric that is drawn."""
    chosen = next(s for s in result["students"] if s["name"] == learned.student)
    scores = {
        "student": (chosen["metrics"].get(learned.metric) or {}).get("mean"),
        "baseline": (chosen["baseline"]["metrics"].get(learned.metric) or {}).get("mean"),
        "teacher": result["teacher"]["metrics"].get(learned.metric),
    }
    if None in scores.values():
        return None
    return {f"test_{arm}": text.score(value) for arm, value in scores.items()}


def show(learned: Learning, result: Mapping[str, Any]) -> None:
    """Play the curves of a run."""
    _curves(key=f"start-learning-{result['run_id']}", data=payload(learned, result))
