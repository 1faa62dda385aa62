"""How rows are split into those to learn from, to choose by and to judge by, in one line."""

from __future__ import annotations

from kd_core.specs import DatasetSpec
from pages.ui.shared.text import Safe, t


def line(data: DatasetSpec) -> Safe:
    """Say what decides where a row goes: a column that gives the parts, then time, then groups, else chance."""
    if data.part is not None:
        return t("distill.split.part", column=data.part)
    shares = {
        "train": f"{100 * (1 - data.validation_share - data.test_share):.0f}",
        "validation": f"{100 * data.validation_share:.0f}",
        "test": f"{100 * data.test_share:.0f}",
    }
    if data.time is None:
        return t("distill.split.groups" if data.group else "distill.split.random", column=data.group or "", **shares)
    told = t("distill.split.time", column=data.time, **shares)
    return Safe(f"{told} {t('distill.split.together', column=data.group)}") if data.group else told
