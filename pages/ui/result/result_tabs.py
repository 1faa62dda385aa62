"""The tabs under a result. Only the open one is computed: hidden tabs cost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.task import task_of
from pages.ui.access import aids, cards
from pages.ui.arms import table
from pages.ui.charts import placing, soft_labels
from pages.ui.charts import result as charts
from pages.ui.charts.spread import bounds, most
from pages.ui.examine import tab as examine_tab
from pages.ui.lesson import moved
from pages.ui.result import chance, column_curves, differences, kept_rows, mistakes, recipe, soft_view, speed, splits
from pages.ui.runs import curves, live, package, teachers
from pages.ui.shared import engine, findings, picture, text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.tasks import labels, next_item, one_target, ranking, several, yes_no
from pages.ui.try_it import tab as try_tab

Result = Mapping[str, Any]


# Of a run that made a student smaller: the others tell of the student as it was.
OF_STAGES = ("try", "curves", "recipe", "log")


def show(
    store: RunStore, row: RunRow, snapshot: Any, found: Result, index: int, among: Sequence[str] | None = None
) -> None:
    """Draw the tab bar, or those `among` it, and the open tab."""
    columns = ("columns",) if column_curves.kept(found, index) else ()
    asked = ("try",) if (found.get("artifacts") or {}).get("model") else ()
    within = ("curves", "soft", "mistakes", "examine", "calibration", "latency", "recipe", "log")
    keys = tuple(k for k in ("overview", *asked, *columns, *within) if among is None or k in among)
    tabs = st.tabs([t(f"runs.result.tabs_{k}") for k in keys], key="tab", on_change="rerun")
    for key, tab in zip(keys, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            st.space("xsmall")
            if key == "overview":
                overview(found, index)
            elif key == "try":
                try_tab.show(store.folder(row.id), found, index)
            elif key == "columns":
                column_curves.show(store.folder(row.id), found, index)
            elif key == "curves":
                own = None if found.get("compressed") else found["students"][index]["name"]
                curves.show(snapshot, key=f"result-{row.id}", student=own)
                if own is not None:
                    moved.show(found["students"][index])
            elif key == "soft":
                soft_view.tab(store.folder(row.id), found, index)
            elif key == "mistakes":
                if ranking.by_order(found["task"]):
                    ranking.mistakes(kept_rows.load(store.folder(row.id), found, index), found)
                else:
                    mistakes.show(one_target.chosen(found, index, "mistakes"), index)
            elif key == "examine":
                examine_tab.show(store.folder(row.id), found, index)
            elif key == "calibration":
                calibration(one_target.chosen(found, index, "calibration"), index)
            elif key == "latency":
                latency(found, index)
            elif key == "recipe":
                recipe.show(store.folder(row.id), found)
                package.show(store.folder(row.id), found)
            else:
                live.log(snapshot)


def show_unfinished(store: RunStore, row: RunRow, snapshot: Any) -> None:
    """Draw what a run without a result still has: its curves, recipe and log."""
    keys = ("curves", "recipe", "log")
    tabs = st.tabs([t(f"runs.result.tabs_{k}") for k in keys], key="tab-unfinished", on_change="rerun")
    for key, tab in zip(keys, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            st.space("xsmall")
            if key == "curves":
                curves.show(snapshot, key=f"ended-{row.id}")
            elif key == "recipe":
                recipe.show(store.folder(row.id), None)
            else:
                live.log(snapshot)


def overview(found: Result, index: int) -> None:
    """The arms side by side, metric against size for all students, and the chosen student seed by seed."""
    table.show(found, index)
    name = found["metric"]["name"]
    student = found["students"][index]
    title = differences.metric_title(name)
    splits.show(found, index)
    labels.overview(found, index)
    several.show(found, index)
    yes_no.line(found, index)
    untaught = read_outcome(found).students[index].untaught
    left, right = st.columns(2, gap="large") if not untaught else (st.container(), None)
    with left:
        st.markdown(f"**{t('runs.overview.size_title', metric=title)}**")
        points = size_points(found)
        fig = charts.against_size(
            points,
            metric=title,
            most=most(name),
            x_title=t("runs.overview.size_axis"),
            names=differences.arm_names(),
            written=text.size,
            lower_is_better=differences.lower_is_better(name),
            chance=guessing(found),
            wide=aids.plot_width(placing.WIDE),
        )
        picture.show(fig, "overview-size", findings.of_points(points, name, t("findings.size"), text.size))
        note = t("runs.overview.size_note_lower" if differences.lower_is_better(name) else "runs.overview.size_note")
        alone = any(s.alone for s in read_outcome(found).students)
        note = f"{note} {t('runs.overview.size_note_alone')}" if alone else note
        stars = t("runs.overview.size_note_plain") if any(p["arm"] == "plain" for p in points) else ""
        st.caption(" ".join(str(s) for s in (note, stars, chance.note(found, name)) if s))
    if right is not None:  # seeds of one that is its own baseline have no pair
        _paired(right, student, name)
    teachers.beside(found)
    selection(student, found.get("budget"), alone=untaught)


def _paired(place: Any, student: Result, name: str) -> None:
    """Draw every seed by itself, with and without the teacher; on a phone one fold away, drawn once that is open."""
    title = t("runs.overview.paired_title")
    if aids.is_narrow():
        place = place.expander(title, icon=":material/compare_arrows:", key="overview.paired", on_change="rerun")
        if not place.open:
            return
    else:
        place.markdown(f"**{title}**")
    with place:
        values = [student["baseline"]["metrics"][name]["values"], student["metrics"][name]["values"]]
        fig = charts.paired(
            student["seeds"],
            *values,
            metric=differences.metric_title(name),
            seed_title=t("runs.overview.seed", seed="{seed}"),
            names=differences.arm_names(),
            placebo=placebo_values(student, name),
            lower_is_better=differences.lower_is_better(name),
            height=max(240, min(640, 110 + 34 * len(student["seeds"]))),
        )
        picture.show(fig, "overview-paired", findings.of_pairs(values[1], values[0], name))
        st.caption(t("runs.overview.paired_note_placebo" if student.get("placebo") else "runs.overview.paired_note"))


def placebo_values(student: Result, name: str) -> list[float]:
    """The placebo's score per seed; empty without one."""
    found = ((student.get("placebo") or {}).get("metrics") or {}).get(name) or {}
    return [v for v in found.get("values") or [] if v is not None]


def guessing(found: Result) -> tuple[float, str] | None:
    """Name the level of guessing for a chart of the run's metric."""
    guess = chance.guess(found, found["metric"]["name"])
    return None if guess is None else (guess.value, t("runs.chance.line", value=text.score(guess.value)))


def size_points(found: Result) -> list[dict[str, Any]]:
    """Teacher, each student with its baseline, and the best plain models of their sizes, as points with intervals."""
    name, teacher = found["metric"]["name"], found["teacher"]
    arms = differences.arm_names()
    points: list[dict[str, Any]] = []

    def add(arm: str, label: str, size: float | None, value: float | None, block: Result | None) -> None:
        if value is None or size is None:
            return
        low, high = bounds((block or {}).get("values") or [], name)
        hover = f"{arms[arm]} {escape(label)}<br>{escape(differences.metric_title(name))} {text.score(value)}"
        if low is not None and high is not None:
            hover += f" [{text.score(low)}, {text.score(high)}]"
        points.append(
            {
                "arm": arm,
                "label": label,
                "x": size,
                "y": value,
                "low": low,
                "high": high,
                "hover": f"{hover}<br>{text.size(size)}",
            }
        )

    add(
        "teacher",
        engine.part_title("teacher", teacher["name"]),
        teacher["size_bytes"],
        teacher["metrics"].get(name),
        None,
    )
    for student, read in zip(found["students"], read_outcome(found).students, strict=True):
        named = "baseline" if read.untaught else "student"  # it is its own baseline: one point
        for arm, block in (
            ("baseline", student["baseline"]),
            ("placebo", student.get("placebo")),
            ("student", None if read.untaught else student),
        ):
            if block is None:
                continue
            spread = block["metrics"][name]
            add(arm, student["name"] if arm == named else "", student["size_bytes"], spread["mean"], spread)
    beside = [plain for s in read_outcome(found).students for plain in s.plains]
    for plain in {p.key: p for p in beside}.values():
        add(
            "plain", differences.plain_label(plain.name), plain.bytes, plain.arm.mean(name), plain.arm.metrics.get(name)
        )
    return points


def selection(student: Result, budget: Mapping[str, int] | None, *, alone: bool = False) -> None:
    """List chosen and last epoch of every training, with both validation scores, and say what all were allowed."""
    chosen = student.get("selection") or {}
    lines = []
    for arm in ("baseline", "placebo", *(() if alone else ("student",))):
        for entry in chosen.get(arm) or []:
            lines.append(
                {
                    t("runs.overview.sel_arm"): differences.arm_names()[arm],
                    t("runs.overview.sel_seed"): entry["seed"],
                    t("runs.overview.sel_epoch"): entry["selected_epoch"],
                    t("runs.overview.sel_score"): text.score(entry["score_selected"], 4),
                    t("runs.overview.sel_last"): entry["last_epoch"],
                    t("runs.overview.sel_last_score"): text.score(entry["score_last"], 4),
                }
            )
    if not lines:
        return
    fold = st.expander(
        t("runs.overview.selection"), icon=":material/rule:", key="overview.selection", on_change="rerun"
    )
    if not fold.open:  # a table that nobody sees takes the browser as long as one that is read
        return
    with fold:
        said = [t("runs.overview.selection_note")]
        if budget:  # results of earlier versions have none
            rounds = "rounds" if budget["rounds"] > 1 else "whole"
            said.append(t(f"runs.overview.budget_{rounds}", most=budget["most_epochs"], first=budget["epochs"]))
        st.caption(" ".join(said))
        cards.table(pd.DataFrame(lines), hide_index=True, height="content", alt=t("runs.overview.selection"))


def calibration(found: Result, index: int) -> None:
    """Draw the reliability diagram of the three."""
    student = found["students"][index]
    if not task_of(found["task"]).has_classes or not student.get("calibration"):
        if next_item.of_catalogue(found):
            st.markdown(next_item.why("calibration"))
            return
        own = "labels." if labels.are_labels(found["task"]) else "ranking." if ranking.by_order(found["task"]) else None
        st.markdown(t(f"{own}calibration" if own else "runs.calibration.regression"))
        return
    blocks = {"teacher": found["teacher"], "baseline": student["baseline"], "student": student}
    arms = {arm: bins(block["calibration"]) for arm, block in blocks.items() if block.get("calibration")}
    fig = soft_labels.reliability(
        arms,
        names=differences.arm_names(),
        x_title=t("runs.calibration.x"),
        y_title=t("runs.calibration.y"),
        perfect=t("runs.calibration.perfect"),
        rows_word=t("runs.calibration.rows"),
    )
    ece = [found["teacher"]["metrics"].get("ece")]
    ece += [(b["metrics"].get("ece") or {}).get("mean") for b in (student["baseline"], student)]
    said = t(
        "runs.calibration.ece", teacher=text.score(ece[0]), baseline=text.score(ece[1]), student=text.score(ece[2])
    )
    outcome = read_outcome(found)
    plain = outcome.students[index].rival(outcome.metric)
    if plain is not None and "ece" in plain.arm.metrics:
        own = text.score(plain.arm.mean("ece"))
        said = Safe(f"{said} {t('runs.calibration.ece_plain', title=differences.plain_model(plain.name), plain=own)}")
    picture.show(fig, "calibration", said)
    st.caption(t("runs.calibration.note"))
    st.markdown(said)
    yes_no.show(found, index)


def bins(found: Any) -> dict[str, list[Any]]:
    """Turn a list of bins into columns; a block that already has columns stays as it is."""
    rows = found.get("bins", found) if isinstance(found, Mapping) else found
    if isinstance(rows, Mapping):
        return {k: list(rows[k]) for k in ("confidence", "accuracy", "count")}
    return {k: [r[k] for r in rows] for k in ("confidence", "accuracy", "count")}


def latency(found: Result, index: int) -> None:
    """Draw and list the time per batch of teacher and student, hardware named."""
    student = found["students"][index]
    series, lines = [], []
    whole = any(speed.WHOLE in (block.get("latency_ms") or {}) for block in (found["teacher"], student))

    def title_of(runtime: str) -> str:
        name = speed.runtime_title(runtime)
        return str(t("runs.latency.alone", runtime=name)) if whole and runtime != speed.WHOLE else name

    for arm, block in (("teacher", found["teacher"]), ("student", student)):
        measured = speed.runtimes(block.get("latency_ms"))
        for position, runtime in enumerate(speed.in_order(measured)):
            batches = measured[runtime]
            order = sorted(batches, key=int)
            title = t("runs.latency.series", arm=differences.arm_names()[arm], runtime=speed.runtime_title(runtime))
            series.append(
                {
                    "arm": arm,
                    "name": title,
                    "way": position,
                    "batch": [int(b) for b in order],
                    "p50": [batches[b]["p50"] for b in order],
                    "p95": [batches[b].get("p95") or batches[b]["p50"] for b in order],
                }
            )
            for b in order:
                lines.append(
                    {
                        t("runs.latency.arm"): differences.arm_names()[arm],
                        t("runs.latency.runtime"): title_of(runtime),
                        t("runs.latency.batch"): int(b),
                        **{p: text.milliseconds(batches[b].get(p)) for p in ("p50", "p95", "p99")},
                    }
                )
    if not series:
        st.markdown(t("runs.latency.none"))
        return
    st.markdown(f"**{t('runs.latency.title')}**")
    fig = charts.latency(series, x_title=t("runs.latency.x"), y_title=t("runs.latency.y"), written=text.milliseconds)
    picture.show(fig, "latency", findings.of_latency(series))
    said = speed.sentence(found["teacher"], student)
    if said:
        st.markdown(
            t(f"runs.latency.sentence{'_whole' if speed.is_whole(found['teacher'], student) else ''}", speed=said),
            help=speed.note(found["teacher"], student, speed.hardware(found)),
        )
    threads = found.get("environment", {}).get("threads", 1)
    said = t("runs.latency.note", hardware=speed.hardware(found), threads=threads)
    st.caption(f"{said} {t('runs.latency.note_whole')}" if whole else said)
    cards.table(pd.DataFrame(lines), hide_index=True, height="content", alt=t("runs.latency.title"))
