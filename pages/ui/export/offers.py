"""A row for each way to take a student home: what it needs, its proof, the code that uses it, and the file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from pages.ui.export import bare, making
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

JUST_NOW = 120  # seconds
_TYPES = {".html": "text/html", ".zip": "application/zip"}


def show(folder: RunFolder, student: str) -> None:
    """Draw all targets; the part that waits for one draws itself again until it is made."""
    from kd_core.export.targets import TARGETS
    from kd_core.runs.exporting import exporting

    try:
        with st.spinner(t("export.reading")):
            taking = making.taking(folder.path, student)
    except KDError as error:
        text.show_error(error)
        return
    entries = sorted(TARGETS.entries(), key=lambda entry: "single" in entry.facts)  # with all that asks it first
    busy = any(m.busy for e in entries if (m := making.of(folder.path, student, e.name)))

    @st.fragment(run_every=1.0 if busy else None)
    def rows() -> None:
        here = {one.target: one for one in exporting.kept(folder) if one.student == student}
        for entry in entries:
            with st.container(border=True, key=f"export-{entry.name}"):
                _row(folder, student, entry, taking.taken, here.get(entry.name))
        if busy and not any(m.busy for e in entries if (m := making.of(folder.path, student, e.name))):
            st.rerun()  # all are made: nothing has to be looked at again

    rows()
    bare.show(folder, taking)


def _row(folder: RunFolder, student: str, entry: Any, taken: Any, kept: Any) -> None:
    asked = making.of(folder.path, student, entry.name)
    st.markdown(f"##### {escape(entry.title)}")
    st.markdown(f"**{t('export.needs')}** {escape(entry.facts['runs_with'](taken))}")
    if unfit := entry.facts["suits"](taken):
        st.caption(f":material/block: {t('export.unfit', why=unfit)}")
        return
    if not kept:
        size = text.size(making.size(folder.path, student, entry.name))
        st.markdown(f"**{t('export.size')}** {t('export.about', size=size, carries=entry.facts['carries'])}")
    if asked and asked.busy:
        st.markdown(f":material/hourglass_top: {t('export.making', seconds=text.seconds(round(asked.seconds)))}")
        return
    failed = asked.done.exception() if asked else None
    if failed is None and kept:
        _told(folder, entry, kept)
    elif failed is not None:
        st.markdown(f"**{t('export.failed')}**")
        text.show_error(failed if isinstance(failed, Exception) else RuntimeError(str(failed)))
    with st.container(horizontal=True):
        if failed is None and kept:
            _offer(folder, entry, kept)
        label = t("export.again" if kept or failed else "export.make")
        if st.button(label, key=f"export-make-{entry.name}", icon=":material/verified:"):
            making.start(folder.path, student, entry.name)
            st.rerun()


def _told(folder: RunFolder, entry: Any, kept: Any) -> None:
    st.markdown(f":material/check_circle: {proof(kept)}")
    if usage := entry.facts.get("usage"):
        st.caption(t("export.usage"))
        st.code("\n".join(line.replace("FILE", _name(folder, kept)) for line in usage), language=None, wrap_lines=True)


def _name(folder: RunFolder, kept: Any) -> str:
    return f"{folder.id}-{kept.path.name}"


def _offer(folder: RunFolder, entry: Any, kept: Any) -> None:
    st.download_button(
        t("export.download", size=text.size(kept.size_bytes)),
        kept.path.read_bytes(),
        _name(folder, kept),
        _TYPES.get(kept.path.suffix, "application/octet-stream"),
        key=f"export-download-{entry.name}",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )


def proof(kept: Any) -> Safe:
    """Say how a made target was proved, and when. Example: `1,000 rows, largest difference 3e-7, checked just now`."""
    when = datetime.fromisoformat(kept.utc)
    age = (datetime.now(UTC) - (when if when.tzinfo else when.replace(tzinfo=UTC))).total_seconds()
    said = t("export.just_now") if age < JUST_NOW else t("export.at", when=kept.utc[:16].replace("T", " "))
    if kept.parity is None:
        return t("export.unproved", why=kept.unproved, when=said)
    largest = kept.parity.largest
    apart = t("export.no_difference") if largest == 0 else t("export.largest", value=_power(largest))
    return t(
        "export.proved", rows=text.exact(kept.parity.rows), apart=apart, limit=_power(kept.parity.limit), when=said
    )


def _power(value: float) -> str:
    digits, power = f"{value:.0e}".split("e")
    return f"{digits}e{int(power)}"
