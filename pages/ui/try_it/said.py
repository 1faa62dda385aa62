"""What a model says to a row, as cells of a table: one target plainly, several each in a column of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.data.plain.questions import LABELS, NUMBER, Question, Questions
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t
from pages.ui.try_it.models import Reply

MOST = 5  # likeliest classes told of an answer


def columns(questions: Questions) -> list[str]:
    """Name the columns that `cells` fills."""
    if len(questions.every) > 1:
        return [one.name for one in questions.every]
    plain = questions.every[0].kind == NUMBER
    return [str(t("try_it.answer")), *([] if plain else [str(t("try_it.shares"))])]


def cells(questions: Questions, reply: Reply) -> list[str]:
    """Write a reply: the answer and the likeliest classes; of several targets the answer to each, with how sure it is."""
    if len(questions.every) > 1:
        return [_beside(one, reply.answer[one.name], reply.shares.get(one.name, {})) for one in questions.every]
    (one,) = questions.every
    return [_answer(one, reply.answer), *([] if one.kind == NUMBER else [shares(reply.shares)])]


def truth(questions: Questions, label: Any) -> str:
    """Write what the data say of a row. Shape: its label, or (T,) of several."""
    known = questions.truth(label)
    if len(questions.every) == 1:
        return _answer(questions.every[0], known)
    return " · ".join(f"{one.name}: {_answer(one, known[one.name])}" for one in questions.every)


def shares(told: Mapping[str, float]) -> str:
    """Write the likeliest classes or labels with their shares; where all fit, in one order for every model."""
    first = list(told) if len(told) <= MOST else sorted(told, key=lambda name: -told[name])[:MOST]
    told_ = [(Safe(name), Safe(f"{100 * told[name]:.0f}\u00a0%")) for name in first]  # a table escapes its cells
    return " · ".join(t("try_it.name_share", name=name, share=share) for name, share in told_)


def _answer(one: Question, answer: Any) -> str:
    if answer is None:
        return str(t("try_it.unknown"))
    if one.kind == NUMBER:
        return text.number(float(answer))
    return str(answer) if one.kind != LABELS else ", ".join(answer) or str(t("try_it.no_label"))


def _beside(one: Question, answer: Any, told: Mapping[str, float]) -> str:
    found = _answer(one, answer)
    return f"{found} ({100 * told[answer]:.0f}\u00a0%)" if one.kind not in (LABELS, NUMBER) else found
