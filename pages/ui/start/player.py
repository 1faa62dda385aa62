"""The example's curves in the browser: they play by themselves, and by key; the server is asked nothing."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.charts.marks import COLOUR
from pages.ui.result.differences import metric_title
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


def payload(learned: Learning) -> dict[str, Any]:
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
        "note": plain(Safe(" ".join([t("start.play_note", metric=metric_title(learned.metric), n=seeds), *told]))),
        "colours": {name: COLOUR[name] for name in ("teacher", "student", "baseline")},
        "words": word,
    }


def show(learned: Learning, name: str) -> None:
    """Play the curves of a run; `name` stays the same for the same run."""
    _curves(key=f"start-learning-{name}", data=payload(learned))
