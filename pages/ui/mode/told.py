"""How teacher and student met, under the verdict: the mode, who learned for the student's sake, and the time that took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.view import mode_words
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t


def lines(found: Mapping[str, Any], index: int) -> list[Safe]:
    """Say the mode of a run and what concerns one of its students; nothing where it learned from stored answers."""
    mode, name = found.get("mode"), found["students"][index]["name"]
    if not mode:
        return []
    said = [t("runs.mode.said", title=escape(mode["title"]))]
    if mode["times"] > 1:
        said.append(t("runs.mode.longer", times=f"{mode['times']:g}"))
    for one in mode_words.helpers(found):
        if one.student in ("", name):
            metric = t("runs.mode.on_validation", metric=escape(found["metric"]["title"]), score=text.score(one.score))
            other = t("runs.mode.measured", measure=escape(one.measure), score=text.score(one.score))
            told = {"name": escape(one.name), "what": other if one.measure else metric}
            told |= {"seconds": text.seconds(one.seconds)}
            said.append(t("runs.mode.helper_seeds" if one.seeds > 1 else "runs.mode.helper", seeds=one.seeds, **told))
    for one in mode.get("singles", ()):
        if one["student"] == name:
            low, high = one["gain"]["ci95"]
            about = {"score": text.score(one["score"]), "other": text.score(one["score_of_best"])}
            about |= {"metric": escape(found["metric"]["title"]), "best": escape(one["best"])}
            line = t(f"runs.mode.singles_{one['word']}", **about)
            within = ""
            if low is not None:
                name = found["metric"]["name"]
                unit = f" {t('runs.verdict.points_word')}" if differences.is_share(name) else ""
                ends = {n: differences.signed_points(name, v) for n, v in (("low", low), ("high", high))}
                within = t("runs.mode.singles_within", unit=Safe(unit), **ends)
            said.append(Safe(f"{line} {within}".strip()))
    return said
