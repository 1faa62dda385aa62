"""Which runs keep what making a student smaller starts from, and the link to there from a finished run."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.store.kept_as import alone_as, taken_as
from kd_core.specs import RunSpec
from pages.ui.shared import engine, session
from pages.ui.shared.text import escape, t


def kept(run: str) -> bool:
    """Say whether a run keeps the weights of its trainings; runs that made a student smaller do not."""
    checkpoints = engine.store().folder(run).checkpoints
    return any(
        Path(place).name == "trained" and any(file.endswith(".json") for file in files)
        for place, _, files in os.walk(checkpoints)
    )


def able(run: str) -> bool:
    """Say whether a student of this run can be made smaller: no what-if, nothing made smaller or carried on, its weights are kept, and not all are trees."""
    try:
        return _plain(engine.store().folder(run).spec()) and kept(run) and not all_trees(run)
    except KDError:
        return False


def first(run: str) -> str | None:
    """Return the run that a run which made a student smaller began with; None for any other."""
    try:
        spec = engine.store().folder(run).spec()
    except KDError:
        return None
    return spec.compress.run if spec.compress is not None else None


def _plain(spec: RunSpec) -> bool:
    return spec.sweep is None and spec.compress is None and spec.continues is None


def left_out(shown: str) -> None:
    """Say why the run that Compare named, or that was looked at, is not the one shown: it holds trees alone, or is a what-if, whose cells become runs."""
    expected = next(iter(session.compared()[0]), None) or session.run_id()
    if expected in (None, shown):
        return
    try:
        row, spec = engine.store().get(expected), engine.store().folder(expected).spec()
        trees = _plain(spec) and all_trees(expected)
    except KDError:
        return
    if trees:
        st.caption(f":material/block: {t('compress.left_out_trees', name=row.name or row.id)}")
    if spec.sweep is None:
        return
    model = session.compared()[1]
    name = t("compress.model_of", model=model, run=row.name or row.id) if model else escape(row.name or row.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compress-left-out"):
        st.caption(f":material/block: {t('compress.left_out', name=name)}", width="stretch")
        st.page_link(
            "runs.py",
            label=t("compress.left_out_open"),
            icon=":material/grid_on:",
            query_params=session.link(run=expected),
        )


def students(folder: RunFolder) -> list[str]:
    """Name the students of a run, without the plain models beside them. Errors: KDError `run_damaged`."""
    return [str(one["name"]) for one in (folder.result() or {}).get("students", ())]


def networks(run: str, names: Sequence[str]) -> list[str]:
    """Keep the students that steps can be carried out on: those that are not made of trees. Errors: as `kept_models.find`."""
    changed = (engine.store().folder(run).path / MODEL).stat().st_mtime_ns
    return list(_networks(run, changed, tuple(names)))


@functools.lru_cache(maxsize=256)
def _networks(run: str, changed_ns: int, names: tuple[str, ...]) -> tuple[str, ...]:
    from kd_core.models import ARCHS  # brings torch along
    from kd_core.teachers import kept_models

    archs = {name: kept_models.find(run, name).model["arch"]["name"] for name in names}
    return tuple(name for name, arch in archs.items() if "fits" not in ARCHS.get(arch).facts)


def all_trees(run: str) -> bool:
    """Say whether a run kept students, and all of them are made of trees. Errors: as `kept_models.find`."""
    beside = (alone_as(""), taken_as(""))
    names = [name for name in engine.models_of_run(run) if not name.startswith(beside)]
    return bool(names) and not networks(run, names)


def link(run: str, spec: RunSpec, student: str, advised: bool = True) -> None:
    """Show the way from a finished run to making its student smaller, where that can be done.

    `advised`: it is the model that the page says to take; else it is named, or it would be taken for that one.
    """
    if not _plain(spec) or not kept(run):
        return
    try:
        able = networks(run, [student])
    except KDError:  # which the page there tells
        able = [student]
    if not able:
        st.caption(f":material/block: {t('compress.link_trees')}")
    else:
        where = session.link(run=run, student=student)
        st.page_link(
            "compress.py",
            label=t("compress.link") if advised else t("compress.link_other", name=student),
            icon=":material/compress:",
            query_params=where,
            help=t("compress.link_help"),
        )
