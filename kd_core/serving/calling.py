"""A running service asked by its own kind: what it predicts first, and only then the row, at addresses that are allowed here.

Addresses, tokens, sizes and times keep to the rules of `teachers/posting`.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from kd_core import limits
from kd_core.data.plain.questions import CLASSES, FIRST, NUMBER, Question
from kd_core.data.types.base import ColumnType
from kd_core.errors import KDError
from kd_core.export.purpose import Purpose
from kd_core.runs.exporting.as_written import as_written
from kd_core.serving.openapi import PREDICTS
from kd_core.serving.openapi import predicts as documented
from kd_core.teachers import posting

MOST_BYTES = 4 * 2**20  # of an answer or of the document of a table with thousands of columns
SECONDS = limits.SERVE_SECONDS + 5  # a service that takes too long says so itself
_SHOWN = 500  # characters of a foreign text that are repeated


@dataclass(frozen=True)
class Answer:
    """What a service says to a row, as `Questions` has it. `shares`: by class, empty for a number; `seconds`: from sending the row to its answer."""

    answer: Any
    shares: dict[str, Any]
    seconds: float
    said: tuple[str, ...] = ()


def services() -> dict[str, str]:
    """Name the addresses that are allowed here, by host (and port where it is not the usual one). Errors: SpecError `bad_endpoint`."""
    found: dict[str, str] = {}
    for origin in posting.origins():
        to = posting.Address(*origin, "/")
        found[to.url if to.place in found else to.place] = to.url
    return found


def ask(
    url: str, row: Mapping[str, Any], types: Mapping[str, ColumnType], purpose: Purpose, token_env: str | None = None
) -> Answer:
    """Ask the service at an address about a row. The row is sent only where the service predicts what `purpose` does,
    and of it the columns that the service reads.

    Errors: SpecError `bad_endpoint`, `endpoint_not_allowed`, `no_token`, `open_token`; KDError `service_other` for one that predicts
    something else, `service_none`, `service_refused` in the service's own words, `service_silent`, `service_unread`; as `posting.post`.
    """
    to = posting.allowed(url)
    key = posting.token(token_env, to) if token_env else None
    columns = _checked(to, _exchange(replace(to, path="/openapi.json"), "GET", None, key), purpose)
    question = {"row": {name: cell for name, cell in cells(row, types).items() if name in columns}}
    before = time.perf_counter()
    told = _exchange(replace(to, path="/predict"), "POST", question, key)
    seconds = time.perf_counter() - before
    return _read(to, told, purpose, seconds)


def cells(row: Mapping[str, Any], types: Mapping[str, ColumnType]) -> dict[str, Any]:
    """Write a row as JSON holds it: pictures as base64, times as the training file had them, null where nothing stands."""
    return {name: _cell(value, name, types) for name, value in row.items()}


def _cell(value: Any, name: str, types: Mapping[str, ColumnType]) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or bool(pd.isna(value)):
        return None
    if isinstance(value, datetime) and name in types:
        return as_written(pd.DataFrame({name: [value]}), {name: types[name]})[0][name]
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool | int) or (isinstance(plain, float) and math.isfinite(plain)):
        return plain
    return str(plain)


def _checked(to: posting.Address, told: Any, purpose: Purpose) -> set[str]:
    """Compare what a service predicts with what is looked for. Returns its columns. Errors: KDError `service_none`, `service_other`."""
    try:
        predicts, columns = told["info"][PREDICTS], set(told["components"]["schemas"]["Row"]["properties"])
        target, classes = str(predicts["target"]), [str(name) for name in predicts["classes"]]
        same = predicts.get("answers") == documented(purpose).get("answers")
    except (KeyError, TypeError, AttributeError):
        raise KDError(
            "{host} does not say what it predicts.",
            "Ask a prediction service of this version: python -m kd_core serve MODEL.",
            "service_none",
            host=to.place,
        ) from None
    if same and target == purpose.target and sorted(classes) == sorted(purpose.classes):
        return columns
    raise KDError(
        "The service at {host} predicts {theirs}; this run predicts {ours}. The row was not sent.",
        "Ask a service whose model learned the same target and classes.",
        "service_other",
        host=to.place,
        theirs=_named(target, classes),
        ours=_named(purpose.target, purpose.classes),
    )


def _named(target: str, classes: Sequence[str]) -> str:
    shown = ", ".join([*(_plain(c)[:80] for c in classes[:10]), *["..."] * (len(classes) > 10)])
    return f"'{_plain(target)[:80]}' ({f'{len(classes):,} classes: {shown}' if classes else 'a number'})"


def _exchange(to: posting.Address, method: str, question: Any, key: str | None) -> Any:
    """Send a request and return its JSON. Errors: as `ask`."""
    try:
        reply = posting.exchange(to, method, question, token=key, seconds=SECONDS, most_bytes=MOST_BYTES)
        if reply.status >= 400:
            _raise_own_words(to, reply)
        return posting.read(to, reply, MOST_BYTES)
    except posting.Refusal as refusal:
        raise KDError(
            "The service at {host} did not answer ({why}).",
            "See that it runs at this address: python -m kd_core serve MODEL.",
            "service_silent",
            host=to.place,
            why=refusal.why,
        ) from None


def _raise_own_words(to: posting.Address, reply: posting.Reply) -> None:
    """Raise what the service itself says is wrong; nothing where it says none. Errors: KDError `service_refused`."""
    try:
        said = json.loads(reply.data)["error"]
        message, hint = str(said["message"]), str(said["hint"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    raise KDError(
        "The service at {host} says: {what}",
        "{advice}",
        "service_refused",
        host=to.place,
        what=_plain(message)[:_SHOWN],
        advice=_plain(hint)[:_SHOWN],
    )


def _read(to: posting.Address, told: Any, purpose: Purpose, seconds: float) -> Answer:
    """Read an answer: the likeliest class with every class's share, or a number. Errors: KDError `service_unread`."""
    try:
        said = tuple(_plain(str(note))[:_SHOWN] for note in told["notes"][:20])
        every = purpose.questions.every
        if len(every) == 1:
            answer, own = _one(every[0], told["answer"], told.get("probabilities"))
            return Answer(answer, own, seconds, said)
        if set(told["answer"]) == {one.name for one in every}:
            each = {one.name: _one(one, told["answer"][one.name], _of(told, one)) for one in every}
            shares = {name: own for name, (_, own) in each.items() if own}
            return Answer({name: answer for name, (answer, _) in each.items()}, shares, seconds, said)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise KDError(
        "The answer of {host} is not understood.",
        "It has to hold an answer, every class's probability where there are classes, and notes, as /openapi.json says.",
        "service_unread",
        host=to.place,
    )


def _of(told: Any, one: Question) -> Any:
    return None if one.kind == NUMBER else told["probabilities"][one.name]


def _one(one: Question, answer: Any, told: Any) -> tuple[Any, dict[str, float]]:
    """Read the answer to one question, with its shares. Errors: KeyError, TypeError, ValueError."""
    if one.kind == NUMBER:
        return _number(answer), {}
    names = one.names if one.kind != FIRST else [name for name in told if name in set(one.names)]
    shares = {name: _number(told[name]) for name in names}
    known = [answer] if one.kind in (CLASSES, FIRST) else answer
    whole = len(told) == len(shares) and all(0 <= share <= 1 for share in shares.values())
    if not whole or not isinstance(known, list) or any(name not in shares for name in known):
        raise ValueError
    return answer, shares


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
