"""Which modes can work with the run that the form describes, and why the others can't, in the form's own words."""

from __future__ import annotations

from typing import Any

from kd_core.errors import KDError, Problem
from kd_core.registry import Entry, Situation
from kd_core.specs import OFFLINE, Choice, RunSpec
from pages.ui.runs import launch
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, catalogue, escape, t

Offer = tuple[Entry[Any], str | None]


def offer(at: Situation, run: RunSpec | None, facts: Facts, held: Choice) -> list[Offer]:
    """Pair every mode with the reason why it can't be chosen for a run; the usual one always can. `held`: a mode with settings."""
    from kd_core.distill import MODES

    usual = set() if run is None else {(p.code, p.message) for p in _wrong(run, facts)}
    found: list[Offer] = []
    for entry, why_not in MODES.offer(at):
        if why_not is None and run is not None and entry.name != OFFLINE:
            ways = [Choice(name=entry.name), *([held] if held.name == entry.name and held.settings else [])]
            own = [_own(run, way, facts, usual) for way in ways]
            why_not = None if any(said is None for said in own) else own[0]
        found.append((entry, why_not))
    return found


def _own(run: RunSpec, mode: Choice, facts: Facts, usual: set[tuple[str, str]]) -> Safe | None:
    """Say the first thing that is wrong in a mode and not in the usual one."""
    found = _wrong(run.model_copy(update={"mode": mode}), facts)
    return next((_said(p) for p in found if (p.code, p.message) not in usual), None)


def _wrong(run: RunSpec, facts: Facts) -> list[Problem]:
    try:
        return [p for p in launch.problems(run, facts) if p.severity == "error"]
    except KDError as error:
        return [error.problem()]


def _said(problem: Problem) -> Safe:
    """Say a problem by the words of the page, else by the engine's."""
    key = f"distill.mode_not.{problem.code}"
    return t(key) if key in catalogue() else escape(problem.message.rstrip("."))
