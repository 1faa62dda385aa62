"""Which run's student is taken home or made smaller: ?run= and ?student=, or what Compare named, or what was looked at before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.kept_as import taken_as
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.runs.store.student_names import titled
from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import verdict as of_goals
from pages.ui.compare import standing as of_stages
from pages.ui.compress import boxes, naming
from pages.ui.compress.typeset import typeset
from pages.ui.goals import budget, kept
from pages.ui.result import comparison, differences, verdict
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.words import decision, in_short, never_found, run_names

ENDED = ("done", "cancelled")
OFFERED = 100


def run(
    store: RunStore,
    page: str = "export",
    icon: str = ":material/ios_share:",
    among: Callable[[str], bool] | None = None,
    instead: Callable[[str], str | None] | None = None,
) -> RunRow | None:
    """Let the person choose a run that kept models; None where there is none, which is then said in the words of the page.

    `among`: whether a run is offered, by its id. `instead`: the run that is meant by one that is not
    offered.
    """

    def offered() -> dict[str, RunRow]:
        return {i: own for i, own in _offered(store).items() if among is None or among(i)}

    rows, asked = offered(), st.query_params.get("run")
    if not rows and (among is None or not asked) and example.stand_in():
        rows = offered()
    before = session.compared()[0]
    wanted = asked or next((i for i in before if i in rows), None) or session.run_id()
    if wanted and wanted not in rows and instead and (other := instead(wanted)) in rows:
        st.caption(t(f"{page}.instead", run=rows[other].name or other))
        wanted = other
    elif wanted and not asked and wanted not in rows and rows and among:
        wanted = None  # looked at elsewhere, and nothing for this page
    if wanted and wanted not in rows and (own := _asked(store, wanted, page if asked else None)):
        rows = {own.id: own, **rows}
    if not rows:
        text.empty_state(t(f"{page}.empty"), t(f"{page}.empty_button"), "distill.py", icon=icon)
        return None
    example.run_note(store)
    held, seen, names = f"{page}-run", f"{page}-url", run_names.of(list(rows.values()))
    if st.session_state.get(held) not in rows or (wanted in rows and asked != st.session_state.get(seen)):
        st.session_state[held] = wanted if wanted in rows else next(iter(rows))
    chosen = st.selectbox(t(f"{page}.run"), list(rows), key=held, format_func=lambda i: names.get(i, i))
    st.session_state[seen] = chosen
    session.show_run(chosen, asked if asked in rows else None)
    return rows[chosen]


def _offered(store: RunStore) -> dict[str, RunRow]:
    return {row.id: row for row in store.list(states=ENDED, limit=OFFERED) if engine.models_of_run(row.id)}


def _asked(store: RunStore, run_id: str, page: str | None) -> RunRow | None:
    """Return the run of the address where it has models; say on its page why it has none."""
    try:
        row = store.get(run_id)
        if row.state in ENDED and engine.models_of_run(row.id):
            return row
    except KDError as error:
        if page:
            text.show_error(error)
        return None
    if page:
        st.info(t(f"{page}.no_models"), icon=":material/hourglass_empty:")
    return None


def student(row: RunRow, page: str = "export", among: Sequence[str] | None = None, rather: Sequence[str] = ()) -> str:
    """Let the person choose a model of the run, or one `among` those named; the address's, else the best on validation.

    `rather`: those that the page opens with where the address names none; any where none of them is there.
    """
    names = [n for n in engine.models_of_run(row.id) if among is None or n in among]
    found = engine.store().folder(row.id).result() or {}
    runs, model = session.compared()
    liked = [n for n in names if n in rather] or names
    named = st.query_params.get("student") or (model if row.id in runs[:1] and model in liked else None)
    key = f"{page}-student-{row.id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = named if named in names else first(found, liked)
    chosen = st.selectbox(
        t(f"{page}.student"), names, key=key, format_func=lambda n: shown(found, n), help=t(f"{page}.student_help")
    )
    st.query_params["student"] = chosen
    told = standing(found, str(chosen))
    if told:
        st.markdown(told)
        at = next((i for i, one in enumerate(found.get("students") or ()) if one["name"] == chosen), None)
        if at is not None:
            budget.show(found, at, kept.data_of(row))
    if told and page == "export":
        if block := found.get("compressed"):
            if chosen == first(found, names):
                st.caption(why_first(block, str(chosen)))
            boxes.warn(block, str(chosen))
        if at is not None and (plain := in_short.beside(found, at)):
            st.markdown(plain)
        if at is not None and (warned := never_found.of(found, at)):
            st.markdown(f":orange[:material/warning:] {warned}")
    return str(chosen)


def first(found: Mapping[str, Any], names: Sequence[str]) -> str:
    """Name the model that is offered first: the stage that was chosen, or the one that the run's result says to take, else the student it shows, where it is among them."""
    if (block := found.get("compressed")) and (stage := compress_words.chosen(block)):
        if stage["name"] in names and of_goals.gains(block, stage):
            return str(stage["name"])
    elif found.get("students") and not block:
        best = verdict.best_student(found)
        for name in (decision.file(found, best), str(found["students"][best]["name"])):
            if name in names:
                return name
    return names[0]


def why_first(block: Mapping[str, Any], name: str) -> Safe:
    """Say which stage is chosen at first, and by what."""
    as_it_was = name == compress_words.student(block)["name"]
    stage = t("export.as_it_was") if as_it_was else naming.said(name)
    return t("export.stage_why", stage=stage, why=typeset(of_goals.line(naming.worded(block, quoted=True))))


def shown(found: Mapping[str, Any], name: str) -> str:
    """Name a model in the list: a student with its kind, a stage in words, a plain model by what it is."""
    if (one := _plain(found).get(name)) is not None:
        return text.plain(t("export.plain", name=differences.plain_label(one["name"])))
    if (alone := _alone(found).get(name)) is not None:
        return text.plain(t("export.of_alone", name=alone["student"]))
    if name in [one["name"] for one in (found.get("compressed") or {}).get("stages") or ()]:
        return text.option(naming.said(name))
    student = next((one for one in found.get("students") or () if one["name"] == name), None)
    return text.option(name if student is None else titled(student))


def _alone(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the students trained alone that the run keeps as well, by the names of their files."""
    return {str(one["name"]): one for one in (found.get("artifacts") or {}).get("alone") or ()}


def _plain(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what the result tells of plain models, by the names under which the run keeps them; with scores on test rows where it has any."""
    told = [one for s in found.get("students") or () for one in (s.get("reference") or {}).values() if one]
    return {taken_as(one["name"]): one for one in sorted(told, key=lambda one: "metrics" in one)}


def standing(found: Mapping[str, Any], name: str) -> Safe | None:
    """Say what the model that is taken home costs and reaches, and what its verdict was; None of one that the result does not tell of."""
    metric = str((found.get("metric") or {}).get("name") or "")
    beside = _alone(found).get(name)
    for read in read_outcome(found).students if found.get("students") else ():
        if beside is not None and read.name == beside["student"]:
            time = comparison.cost(read.raw, "latency")
            said = _standing(beside.get("bytes"), time, metric, read.baseline.mean(metric), found, None)
            return Safe(f"{said} · {t('export.alone')}")
        if read.name == name:
            word = t(f"runs.short.{read.word}")
            time = comparison.cost(read.raw, "latency")  # of the file that is taken home, whoever taught it
            said = _standing(read.bytes or read.raw.get("size_bytes"), time, metric, read.own.mean(metric), found, word)
            return Safe(f"{said} · {t('export.alone')}") if read.alone and not read.untaught else said
    if (one := _plain(found).get(name)) is not None:
        reached = ((one.get("metrics") or {}).get(metric) or {}).get("mean")
        said = _standing(one.get("bytes"), comparison.cost(one, "latency"), metric, reached, found, None)
        return said if "metrics" in one else Safe(f"{said} · {_on_validation(found, one)}")
    for one in (found.get("compressed") or {}).get("stages") or ():
        if one["name"] == name and not one.get("reason"):
            reached = one["metrics"].get(metric)
            said = _standing(one.get("bytes"), compress_words.milliseconds(one), metric, reached, found, None)
            same = of_stages.seeds(found["compressed"], one) if metric == found["compressed"]["metric"]["name"] else ""
            return Safe(f"{said} · {escape(same)}") if same else said
    return None


def _on_validation(found: Mapping[str, Any], one: Mapping[str, Any]) -> Safe:
    """Tell the score by which a plain model keeps up with a student: nobody asked it about the test rows."""
    metric = str(found["metric"].get("selection") or found["metric"]["name"])
    return t("export.on_validation", value=text.score(one.get("selected")), metric=differences.metric_title(metric))


def _standing(
    size: float | None,
    time: float | None,
    metric: str,
    reached: float | None,
    found: Mapping[str, Any],
    word: Safe | None,
) -> Safe:
    teacher = ((found.get("teacher") or {}).get("metrics") or {}).get(metric)
    parts = [f"**{text.size(size)}**", *([f"**{text.milliseconds(time)}**"] if time is not None else [])]
    if reached is not None:
        beside = f" ({t('export.of_teacher', value=text.score(teacher))})" if teacher is not None else ""
        parts.append(f"**{text.score(reached)}** {escape(differences.metric_title(metric))}{beside}")
    return Safe(" · ".join([*parts, *([t("export.distilling", word=word)] if word else [])]))
