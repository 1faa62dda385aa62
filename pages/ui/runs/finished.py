"""How far a run is, in words: finished units, and a plan that was wrong."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.runs import RunStore
from pages.ui.shared import session, text
from pages.ui.shared.text import Safe, t


def units(now: Any) -> list[Safe]:
    """Say how many units are finished: fits of the teacher while it is taught, trainings, parts of the evaluation."""
    found, at = [], now.outlook.units
    if at is not None and at.work != "training":
        work = at.work.split(":")[0]
        kind = work if work in ("teacher", "choose", "texts", "pictures", "made", "compress", "search") else "part"
        found.append(t(f"runs.units.{kind}", done=at.done, of=at.of))
    if now.trainings:
        going, earlier = now.sweep.at_work if now.sweep else 0, now.outlook.earlier
        words = "runs.head.progress_more" if earlier else "runs.head.progress"
        said = t(words, done=max(0, now.trainings_done - earlier), of=now.trainings - earlier)
        found.append(t("runs.head.under_way", said=said, num=text.exact(going)) if going else said)
    return found


def bars(now: Any) -> None:
    """Draw how far the run is: one bar, and below a full one for the rounds before it where seeds were added; say that they may be."""
    found, share = now.outlook, min(1.0, max(0.0, now.progress))
    if found.round > 1:
        earlier = "runs.head.rounds_done" if found.round > 2 else "runs.head.round_done"
        st.progress(1.0, text=t(earlier, last=found.round - 1, num=found.earlier))
        more = (now.trainings or found.earlier) - found.earlier
        why = (now.plan or {}).get("adds") or "chance"
        st.progress(share, text=t(f"runs.head.round_{why}", round=found.round, num=more))
        return
    st.progress(share)
    training = now.spec.training
    if now.state == "running" and training.seeds is None and now.spec.sweep is None and now.trainings:
        st.caption(t("runs.head.first_round", seeds=training.seeds_at_first), help=t("distill.seeds_help"))


def ahead(store: RunStore, run_id: str) -> None:
    """Draw what a waiting run waits for: the run at work, with about how long it still takes, as a link."""
    at_work = store.list(states=("running", "starting", "cancelling"), limit=1)
    if not at_work or at_work[0].id == run_id:
        return
    row = at_work[0]
    try:
        left = store.snapshot(row.id, 0).eta_s
    except KDError:  # removed or damaged meanwhile: its own page says what is wrong
        left = None
    words = t("runs.live.behind_seconds", left=text.forecast(round(left))) if left else t("runs.live.behind")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run-ahead"):
        st.markdown(words, width="content")
        st.page_link(
            "runs.py",
            label=f"**{text.escape(row.name or row.id)}**",
            icon=":material/monitoring:",
            query_params=session.link(run=row.id),
        )


def late(now: Any) -> Safe | None:
    """Say that a run takes longer than its plan promised, and about how much longer; None when it is on time."""
    if not now.eta_s or not now.outlook.late:
        return None
    return t("runs.live.late", more=text.forecast(round(now.eta_s)))
