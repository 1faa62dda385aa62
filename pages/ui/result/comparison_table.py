"""The table under the comparison: what differs, and the picks it shares with the chart."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.store.runs import RunStore
from pages.ui.access import cards
from pages.ui.compare import naming
from pages.ui.goals.candidates import Candidate, Goals
from pages.ui.result import comparison, differences, recipe
from pages.ui.result.comparison import Entry
from pages.ui.result.differences import Written
from pages.ui.runs import run_list
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

RUN_WIDTH = 150  # px, the least of the names of runs
TICKS = 36  # px of the boxes in front of the rows
# columns that are shown at first, beside the run's; the most wanted first
FIRST = ("student", "value", "size", "latency", "verdict", "goal", "gain", "versus")
STAR = 44  # px


def picks() -> list[str]:
    """Return the ids of the picked students."""
    return list(st.session_state.get("compare-picked", []))


def pick(ids: list[str]) -> None:
    """Remember picked students and draw again."""
    if ids != picks():
        st.session_state["compare-picked"] = ids
        st.rerun()


def clear() -> None:
    """Forget the picked students."""
    st.session_state["compare-picked"] = []
    st.session_state.pop("pareto-last", None)


def table(store: RunStore, found: list[Entry], metric: str, goals: Goals | None) -> None:
    """Draw what each student reaches and costs, then the settings that differ, one line per student; picked rows are marked."""
    names = naming.differing(found)
    same = len({n for e in found for n in e.settings}) - len(names)
    st.markdown(f"**{t('compare.table')}**")
    # Asked for at every drawing: a star is set while the entries, read with the page, stay as they are.
    starred = {run_id for run_id in {e.run_id for e in found} if store.get(run_id).star}
    lines = [
        {t("compare.column.star"): run_list.STAR if e.run_id in starred else run_list.NO_STAR}
        | line(e, metric, goals, names)
        for e in found
    ]
    lines += plain_lines(found, metric, goals)
    frame = pd.DataFrame(lines).astype("object")
    rows = [i for i, e in enumerate(found) if e.id in picks()]
    run, star = str(t("compare.column.run")), str(t("compare.column.star"))
    titles = [
        title for name in FIRST if (title := titled(name, metric)) in frame.columns and frame[title].notna().any()
    ]
    lesson = [naming.short_setting(n) for n in names if n in naming.FIRST[1:]]  # T and alpha, where they differ
    titles[2:2] = [title for title in lesson if frame[title].notna().any()]
    widths = {title: cards.needed([title, *frame[title]]) for title in titles}
    main = cards.fitting({run: RUN_WIDTH, star: STAR} | widths, cards.ROOM - TICKS)
    others = TICKS + sum(({star: STAR} | widths)[title] for title in main[1:])
    wide, frame[run] = cards.names(
        [*text.telling([e.run_name for e in found]), *frame[run][len(found) :]], others, RUN_WIDTH
    )
    config: dict[str, Any] = {title: st.column_config.TextColumn(width=width) for title, width in widths.items()}

    def toggle() -> None:
        row = st.session_state["compare-star"]["row"]
        if row >= len(found):  # a plain model is no run of its own
            return
        store.star(found[row].run_id, found[row].run_id not in starred)

    event: Any = cards.table(
        frame,
        key=f"compare-table-{'-'.join(map(str, rows))}",
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": rows}},
        placeholder="–",
        alt=t("compare.table"),
        main=main,
        key_more="compare-more",
        column_config=config
        | {
            star: st.column_config.ButtonColumn(
                type="tertiary", width=STAR, on_click=toggle, key="compare-star", help=t("runs.head.star_help")
            ),
            run: st.column_config.TextColumn(width=wide),
        },
    )
    st.caption(t("compare.table_note", same=same))
    taken = [found[i].id for i in event["selection"]["rows"] if i < len(found)]
    if set(taken) != set(picks()) & {e.id for e in found}:
        pick(taken)


def titled(name: str, metric: str) -> str:
    """Name a column; that of values after the metric, too."""
    said = str(t(f"compare.column.{name}"))
    return f"{said} {differences.metric_title(metric)}" if name == "value" else said


def line(e: Entry, metric: str, goals: Goals | None, names: list[str]) -> dict[str, Any]:
    """Lay one student out as text cells, which a data frame shows literally."""
    c, s, read = "compare.column.", e.student, e.read
    shown, away = (
        Written.of(metric, g).cell(g) if g else None for g in (read.judged(metric), read.own_versus_teacher.get(metric))
    )
    value = read.own.metrics[metric]
    return {
        t(f"{c}run"): e.run_name,
        t(f"{c}student"): str(t("compare.alone", name=Safe(s["name"])) if read.alone else s["name"]),
        titled("value", metric): text.plus_minus(value["mean"], value["std"]),
        t(f"{c}versus"): away,
        t(f"{c}gain"): None if read.alone else shown,  # of the taught one, whose row this is not
        t(f"{c}size"): text.size(s["size_bytes"]),
        t(f"{c}latency"): text.milliseconds(comparison.cost(s, "latency")),
        **_met(comparison.candidate(e, metric), goals),
        t(f"{c}verdict"): None if e.smaller else str(t(f"runs.short.{read.word}")).capitalize(),
        **{naming.short_setting(n): e.settings.get(n) for n in names},
        f"{t(f'{c}baseline')}": text.score(s["baseline"]["metrics"][metric]["mean"]),
        **(
            {str(t(f"{c}taught")): f"{text.score(read.arm.mean(metric))} ({shown or '–'})"}
            if read.alone and not read.untaught
            else {}
        ),
        f"{t(f'{c}teacher')}": text.score(e.result["teacher"]["metrics"].get(metric)),
        t(f"{c}smaller"): text.fraction(s["size_bytes"], e.result["teacher"]["size_bytes"]),
        t(f"{c}flops"): text.number(s.get("flops")),
        t(f"{c}note"): e.note or None,
    }


def plain_lines(found: list[Entry], metric: str, goals: Goals | None) -> list[dict[str, Any]]:
    """Lay the plain models out, the best first and once where two are told alike; what is called the same and told otherwise is told apart by its run."""
    sign = 1.0 if differences.lower_is_better(metric) else -1.0
    runs_of = [e.run_name for e, _ in comparison.plain_models(found)]
    pairs = list(zip(comparison.plain_candidates(found, metric), runs_of, strict=True))
    pairs.sort(
        key=lambda pair: sign * pair[0].value if pair[0].value is not None else math.inf
    )  # a phone shows the first alone
    every = [plain_line(c, metric, goals) for c, _ in pairs]
    runs = [run for _, run in pairs]
    kept = [(told, run) for i, (told, run) in enumerate(zip(every, runs, strict=True)) if told not in every[:i]]
    student = str(t("compare.column.student"))
    alike = Counter(told[student] for told, _ in kept)
    short = text.apart([run for _, run in kept], naming.RUN_LETTERS)
    return [
        {**told, student: f"{told[student]} · {run}"} if alike[told[student]] > 1 else told
        for (told, _), run in zip(kept, short, strict=True)
    ]


def plain_line(c: Candidate, metric: str, goals: Goals | None) -> dict[str, Any]:
    """Lay the best plain model of a size out below the students: it has no teacher, and no run of its own."""
    col = "compare.column."
    return {
        t(f"{col}run"): str(t("compare.plain")),
        t(f"{col}student"): c.name,
        titled("value", metric): text.score(c.value),
        t(f"{col}size"): text.size(c.costs["size"]),
        t(f"{col}latency"): text.milliseconds(c.costs["latency"]),
        **_met(c, goals),
    }


def _met(c: Candidate, goals: Goals | None) -> dict[str, str]:
    """Say whether a model meets the goals; nothing where none is set."""
    if goals is None or goals.empty:
        return {}
    met = goals.meets(c)
    word = "unknown" if met is None else "no" if not met else "yes" if goals.sure(c) else "on_mean"
    return {str(t("compare.column.goal")): str(t(f"compare.goal.{word}"))}


def everything(store: RunStore, found: list[Entry]) -> bytes:
    """Pack metrics, recipes and results of the runs into a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for run_id in dict.fromkeys(e.run_id for e in found):
            folder = store.folder(run_id)
            for name in ("spec.json", "result.json"):
                file.write(folder.path / name, f"{run_id}/{name}")
            file.writestr(f"{run_id}/metrics.csv", recipe.metrics_csv(folder.result() or {}))
    return out.getvalue()
