"""The list of runs: filter, pages of 50, open by click, star in place. Reads the index only, never a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.store.folder import STATES
from kd_core.runs.store.rows import Headline, RunRow
from kd_core.runs.store.runs import PAGE, RunStore
from pages.ui.access import cards
from pages.ui.result import differences
from pages.ui.result.differences import Written
from pages.ui.shared import engine, session, text
from pages.ui.shared.text import t, term

NAME_WIDTH = 214  # px, the least: what came of a run fits beside its name on a laptop
ROW, BROKEN = 40, 66  # px of a row, and of one whose name is broken into lines: Streamlit breaks none below 65
LINES = 3  # that fit into it
STAR, NO_STAR = "★", "☆"
STAR_WIDTH = 44  # px
NUMBERS = ("teacher_score", "student_score", "size", "baseline_score", "seconds")
MAIN = ("star", "name", "state", "student_score", "verdict", "gain", "size", "metric", "date")  # the most wanted first


def show(store: RunStore) -> None:
    """Draw the filters and one page of the list; a click on a row puts the run's id in the URL."""
    total = store.count()
    if not total:
        text.empty_state(
            t("runs.empty"), t("runs.empty_button"), "distill.py", icon=":material/monitoring:", key="runs"
        )
        return
    chosen = _filters()
    count = store.count(*chosen)
    if not count:
        st.info(t("runs.nothing_found"), icon=":material/search_off:")
        if st.button(t("runs.clear_filter"), key="runs-clear", on_click=_clear):
            st.rerun()
        return
    pages = -(-count // PAGE)
    at = min(int(st.session_state.get("runs_page", 1)), pages)
    rows = store.list(*chosen, limit=PAGE, offset=(at - 1) * PAGE)
    _table(store, rows)
    left, right = st.columns([1, 1], vertical_alignment="center")
    first = (at - 1) * PAGE + 1
    left.caption(t("runs.shown", first=first, last=first + len(rows) - 1, count=text.exact(count)))
    if pages > 1:
        with right.container(horizontal_alignment="right"):
            st.pagination(pages, key="runs_page")


def _filters() -> tuple[tuple[str, ...] | None, str | None, bool | None]:
    find, states, star = st.columns([2.5, 5.6, 1.6], vertical_alignment="bottom")
    words = find.text_input(
        t("runs.filter.text"),
        key="q",
        bind="query-params",
        placeholder=t("runs.filter.text_hint"),
        help=t("runs.filter.text_help"),
        icon=":material/search:",
        on_change=_first_page,
    )
    picked = states.pills(
        t("runs.filter.states"),
        [s for s in STATES if s not in ("starting", "cancelling")],
        selection_mode="multi",
        format_func=lambda s: t(f"common.states.{s}"),
        key="state",
        bind="query-params",
        wrap=True,
        help=t("runs.filter.states_help"),
        on_change=_first_page,
    )
    starred = star.toggle(
        t("runs.filter.star"),
        key="starred",
        bind="query-params",
        help=t("runs.filter.star_help"),
        on_change=_first_page,
    )
    wanted = tuple(picked or ())
    if "running" in wanted:
        wanted += ("starting", "cancelling")
    return wanted or None, (words or "").strip() or None, True if starred else None


def _first_page() -> None:
    st.session_state["runs_page"] = 1


def _clear() -> None:
    st.session_state.update({"q": "", "state": [], "starred": False, "runs_page": 1})


def _table(store: RunStore, rows: Sequence[RunRow]) -> None:
    ids = [r.id for r in rows]

    def toggle() -> None:
        at = st.session_state["runs-star"]["row"]
        store.star(ids[at], not rows[at].star)

    shown = frame(rows)
    widths = {str(n): cards.needed([t(f"runs.column.{n}"), *shown[n]]) for n in shown} | {"star": STAR_WIDTH}
    main = cards.fitting({n: widths[n] if n != "name" else NAME_WIDTH for n in MAIN})
    others = sum(widths[n] for n in main if n != "name")
    told = list(shown["name"])
    widths["name"], shown["name"] = cards.names(told, others, NAME_WIDTH, LINES)
    whole = cards.needed(told, cards.ROOM) <= widths["name"]  # what-ifs are told apart by the end of their names
    here = st.query_params.to_dict()
    event = cards.table(
        shown,
        main=main,
        links=[("runs.py", here | session.link(run=run)) for run in ids],
        key_more="runs-more",
        key=f"runs-table-{st.session_state.get('runs-table-turn', 0)}",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        height="content",
        row_height=ROW if whole else BROKEN,
        placeholder="–",
        alt=t("runs.title_list"),
        column_config=_columns(widths, toggle),
    )
    cells = event["selection"].get("cells") if event else None
    if cells:
        st.session_state["runs-table-turn"] = st.session_state.get("runs-table-turn", 0) + 1
        st.query_params["run"] = ids[cells[0][0]]
        st.rerun()


def _columns(widths: Mapping[str, int], toggle: Callable[[], None]) -> dict[str, Any]:
    c = "runs.column."
    about = {"verdict": term("verdict"), "versus": t(f"{c}versus_help"), "student_score": t(f"{c}student_score_help")}
    found: dict[str, Any] = {
        name: st.column_config.TextColumn(
            t(f"{c}{name}"), width=width, help=about.get(name), alignment="right" if name in NUMBERS else None
        )
        for name, width in widths.items()
    }
    star = {"type": "tertiary", "on_click": toggle, "key": "runs-star", "help": t("runs.head.star_help")}
    return {**found, "star": st.column_config.ButtonColumn(t(f"{c}star"), width=widths["star"], **star)}


def frame(rows: Sequence[RunRow]) -> pd.DataFrame:
    """Lay rows out as text columns; cells of a data frame are shown literally."""
    records = [
        {
            "star": STAR if r.star else NO_STAR,
            "name": r.name or str(t("runs.no_name")),
            "date": (r.started_utc or r.created_utc or "")[:16].replace("T", " "),
            "state": str(t(f"common.states.{r.state}")),
            "student_score": score_cell(r.headline),
            "metric": differences.metric_title(r.headline.metric) if r.headline else None,
            "verdict": verdict_cell(r.headline),
            "gain": gain_cell(r.headline),
            "size": text.size(r.headline.bytes) if r.headline and r.headline.bytes else None,
            "teacher": engine.part_title("teacher", r.teacher),
            "versus": versus_cell(r.headline),
            "baseline_score": _score(r.headline.baseline if r.headline else None),
            "teacher_score": _score(r.headline.teacher if r.headline else None),
            "dataset": r.dataset_name,
            "students": ", ".join(r.students),
            "seconds": text.seconds(r.seconds) if r.seconds is not None else None,
            "note": r.note or None,
        }
        for r in rows
    ]
    return pd.DataFrame.from_records(records).astype("object")


def _score(value: float | None) -> str | None:
    return None if value is None else text.score(value)


def verdict_cell(found: Headline | None) -> str | None:
    """Whether distilling helped a run's best student, with the plain model that is no worse; or None."""
    if found is None or not found.verdict:
        return None
    word = str(t(f"runs.short.{found.verdict}")).capitalize()
    word = f"{word} ({t('runs.word.small')})" if found.small else word
    return word if found.plain is None else f"{word}; {t('runs.short.plain', score=text.score(found.plain))}"


def score_cell(found: Headline | None) -> str | None:
    """What the model to take home scores."""
    return None if found is None else _whose(_score(found.student), found, "alone")


def gain_cell(found: Headline | None) -> str | None:
    """The taught student's gain over the baseline with its interval, in points or in the metric's unit."""
    if found is None:
        return None
    return _whose(_difference(found.metric, found.gain, found.gain_low, found.gain_high), found, "taught")


def versus_cell(found: Headline | None) -> str | None:
    """The difference of the model to take home to the teacher with its interval; a verdict of no difference is never shown without it."""
    if found is None:
        return None
    return _whose(_difference(found.metric, found.versus, found.versus_low, found.versus_high), found, "alone")


def _whose(value: str | None, found: Headline, who: str) -> str | None:
    """Say whose a number is where the model to take home is not the one that was taught, so that a row has numbers of both."""
    return text.plain(t(f"runs.whose.{who}", value=value)) if found.alone and value is not None else value


def _difference(metric: str, mean: float | None, low: float | None, high: float | None) -> str | None:
    if mean is None:
        return None
    gain = Gain(mean, low, high, None, None, 0)
    return Written.of(metric, gain).cell(gain)
