"""What the server adds to the chosen cell: its soft labels beside the teacher's, its recipe, and what to do next with it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate import soft_labels
from kd_core.runs.cells import grid as engine_grid
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import RunSpec
from kd_core.task import task_of
from pages.ui.charts import soft_labels as charts
from pages.ui.result import differences, recipe, soft_view
from pages.ui.runs import draft, launch
from pages.ui.shared import engine, picture, session, text
from pages.ui.shared.text import escape, t, term
from pages.ui.tasks import labels
from pages.ui.what_if import whatif_draft, whatif_words
from pages.ui.what_if.whatif_cells import Cell, Grid

PARTS = ("soft", "recipe")


def show(folder: RunFolder, grid: Grid, cell: Cell) -> None:
    """Draw what the server adds to the chosen cell: its soft labels or its recipe when asked for, and what to do next."""
    with st.container(border=True, key="whatif-cell"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape(whatif_words.setting_words(grid, cell))}**", width="content")
            part = st.segmented_control(
                t("what_if.cell.part"),
                PARTS,
                key="whatif-part",
                format_func=lambda p: t(f"what_if.cell.{p}"),
                label_visibility="collapsed",
                help=t("what_if.cell.part_help"),
            )
            _actions(folder, grid, cell)
        if part == "soft":
            soft(folder, grid, cell)
        elif part == "recipe":
            _with_spec(folder, cell, lambda spec: _recipe(f"{folder.id}.cell-{cell.cell}.spec.json", spec))


@functools.lru_cache(maxsize=4)
def _arrays(path: Path, changed_ns: int) -> dict[str, Any]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
        return {name: found[name] for name in ("row_ids", "labels", "teacher", "logits")}


def kept(folder: RunFolder, place: str) -> dict[str, Any]:
    """Read the kept validation rows with the answers of all cells; again only when the file has changed.

    Errors: KDError `no_cells` when the file is missing or can't be read.
    """
    path = folder.path / "artifacts" / Path(place).name
    try:
        return _arrays(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise KDError(
            "The answers of the cells of run {run_id} can't be read: {error}.",
            "Run it again: press Clone.",
            "no_cells",
            run_id=folder.id,
            error=str(error),
        ) from error


def soft(folder: RunFolder, grid: Grid, cell: Cell) -> None:
    """Draw teacher and cell on validation rows: one row's shares, agreement, entropy at the cell's T."""
    if grid.answers is None:
        st.caption(t("what_if.soft.none"))
        return
    try:
        arrays = kept(folder, grid.answers)
    except KDError as error:
        text.show_error(error)
        return
    z_teacher = np.asarray(arrays["teacher"], np.float64)
    z_cell = np.asarray(arrays["logits"][cell.cell], np.float64)
    if not np.isfinite(z_cell).all():
        st.info(whatif_words.why_missing(cell), icon=":material/block:")
        return
    if task_of(grid.task).compact:
        st.caption(t("what_if.soft.catalogue"))
    elif task_of(grid.task).has_classes:
        _shares(arrays, z_teacher, z_cell, grid, cell.temperature or 1.0)
    elif task_of(grid.task).each_alone:
        labels.cell(arrays, z_teacher, z_cell, grid.classes, cell.temperature or 1.0)
    else:
        _numbers_apart(arrays, z_teacher, z_cell, grid)
    rows = len(z_cell)
    st.caption(t("what_if.soft.rows", rows=text.exact(rows), of=text.exact(grid.num_rows[0] or rows)))


def _shares(arrays: Mapping[str, Any], z_teacher: Any, z_cell: Any, grid: Grid, temperature: float) -> None:
    p = {"teacher": soft_labels.soften(z_teacher, temperature), "student": soft_labels.soften(z_cell, temperature)}
    nats = {arm: float(soft_labels.entropy(values).mean()) for arm, values in p.items()}
    same = text.percent(soft_labels.agreement(z_teacher, z_cell))
    with st.container(horizontal=True, gap="medium"):
        st.metric(t("what_if.soft.agreement"), same, help=term("agreement"))
        st.metric(
            t("what_if.soft.entropy", t=f"{temperature:g}"),
            t("what_if.instant.nats", value=f"{nats['student']:.2f}"),
            delta=t("what_if.soft.of_teacher", value=f"{nats['teacher']:.2f}"),
            delta_color="off",
            delta_arrow="off",
            help=term("entropy"),
        )
        st.metric(
            t("what_if.soft.kl", t=f"{temperature:g}"),
            t("what_if.instant.nats", value=text.score(soft_labels.kl(z_teacher, z_cell, temperature), 4)),
            help=term("kl"),
        )
    apart = 0.5 * np.abs(p["teacher"] - p["student"]).sum(axis=1)
    order = np.argsort(-apart, kind="stable")
    ids = [int(arrays["row_ids"][i]) + 1 for i in order]
    chosen = st.selectbox(t("what_if.soft.row"), ids, key="whatif-row", help=t("what_if.soft.row_help"))
    at = int(order[ids.index(chosen)]) if chosen in ids else int(order[0])
    label = int(arrays["labels"][at])
    shown = soft_view.drawn_classes({arm: values[at] for arm, values in p.items()}, label)
    figure = charts.bars(
        {arm: [float(values[at][c]) for c in shown] for arm, values in p.items()},
        [grid.classes[c] for c in shown],
        names=differences.arm_names(),
        x_title=t("soft_labels.bars_axis"),
    )
    note = t("what_if.soft.note", label=grid.classes[label], t=f"{temperature:g}", distance=f"{apart[at]:.2f}")
    picture.show(figure, "whatif-bars", note)
    st.caption(note)


def _numbers_apart(arrays: Mapping[str, Any], z_teacher: Any, z_cell: Any, grid: Grid) -> None:
    mean, std = grid.spread
    values = {"teacher": z_teacher[:, 0] * std + mean, "student": z_cell[:, 0] * std + mean}
    apart = float(np.abs(values["teacher"] - values["student"]).mean())
    note = t("what_if.soft.apart", value=text.score(apart), target=grid.target)
    st.markdown(note)
    figure = charts.predictions(
        arrays["labels"],
        values,
        names=differences.arm_names(),
        x_title=t("soft_labels.regression.x", target=grid.target),
        y_title=t("soft_labels.regression.y", target=grid.target),
        diagonal=t("soft_labels.regression.diagonal"),
        row_ids=arrays["row_ids"] + 1,
        row_title=t("soft_labels.row_choice"),
        height=340,
    )
    picture.show(figure, "whatif-predictions", note)


def spec_of(folder: RunFolder, cell: Cell) -> RunSpec:
    """The cell as an ordinary run. Errors: KDError when the recipe can't be read."""
    spec = folder.spec()
    return engine_grid.cell_spec(spec, engine_grid.cells(spec)[cell.cell])


def _recipe(name: str, spec: RunSpec) -> None:
    st.caption(t("what_if.cell.recipe_note"))
    st.dataframe(recipe.settings(spec), hide_index=True, height=300, placeholder="–", alt=t("runs.recipe.json"))
    recipe.offer(t("runs.recipe.json"), spec.model_dump_json(indent=1), name, "application/json", "cell-spec")


def _actions(folder: RunFolder, grid: Grid, cell: Cell) -> None:
    """Zoom, judge on the test rows, or go on in Distill."""
    if not cell.judged:
        return
    chosen = cell.cell in grid.best_of.values()
    with st.container(horizontal=True, gap="xsmall"):
        if st.button(
            t("what_if.cell.zoom"), key="whatif-zoom", icon=":material/zoom_in:", help=t("what_if.cell.zoom_help")
        ):
            zoom(folder, cell)
        if st.button(
            t("what_if.cell.is_judged" if chosen else "what_if.cell.judge"),
            key="whatif-judge",
            icon=":material/check:" if chosen else ":material/gavel:",
            disabled=chosen,
            help=t("what_if.cell.judged" if chosen else "what_if.cell.judge_help"),
        ):
            _with_spec(folder, cell, lambda spec: launch.start(spec, "runs.py"))
        if st.button(
            t("what_if.cell.distill"),
            key="whatif-distill",
            icon=":material/school:",
            help=t("what_if.cell.distill_help"),
        ):
            _with_spec(folder, cell, lambda spec: _open_in_distill(folder, spec))


def _with_spec(folder: RunFolder, cell: Cell, then: Any) -> None:
    try:
        spec = spec_of(folder, cell)
    except KDError as error:
        text.show_error(error)
        return
    then(spec)


def zoom(folder: RunFolder, cell: Cell) -> None:
    """Fill the form with a finer grid around the cell."""
    spec = folder.spec()
    fill_form(engine_grid.zoom(spec, engine_grid.cells(spec)[cell.cell]), folder.id)


def fill_form(spec: RunSpec, run_id: str) -> None:
    """Open the form with the settings of a what-if."""
    dataset_id = engine.library().save_spec(spec.dataset)
    whatif_draft.put(dataset_id, draft.of_spec(spec))
    st.session_state["whatif_cloned"] = run_id
    session.set_dataset(dataset_id)
    session.set_run(None)
    session.go("what_if.py")


def _open_in_distill(folder: RunFolder, spec: RunSpec) -> None:
    dataset_id = engine.library().save_spec(spec.dataset)
    draft.put(dataset_id, draft.of_spec(spec))
    st.session_state["distill_cloned"] = folder.id
    session.set_dataset(dataset_id)
    session.go("distill.py")
