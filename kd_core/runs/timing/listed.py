"""Which models of a finished run can be timed; only its JSON files are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kd_core.errors import KDError
from kd_core.runs.store.folder import MODEL, RunFolder

Role = Literal["teacher", "baseline", "student", "stage", "plain"]
ROLES: tuple[Role, ...] = ("teacher", "baseline", "student", "stage", "plain")


@dataclass(frozen=True)
class Listed:
    """A model of a run. `id` names it in a session; `name`: as `predict --student` takes it, of a baseline its student's, of a teacher its kind."""

    id: str
    run: str
    run_name: str
    role: Role
    name: str

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def listed(folder: RunFolder) -> list[Listed]:
    """List teacher, baselines, students (of a run that compresses: its stages) and plain models.

    A student that is taken home as it learned alone is its own baseline. Errors: KDError `latency_unfinished`, `run_damaged`.
    """
    result, told = folder.result(), folder.read(MODEL)
    if result is None or told is None:
        raise KDError(
            "Run {run} has no models to time: it has not ended, or an earlier version made it.",
            "Resume it, or take a finished run.",
            "latency_unfinished",
            run=folder.id,
        )
    name = folder.annotation()["name"] or str(result.get("name") or folder.id)
    pairs: list[tuple[Role, str]] = [("teacher", str(result["teacher"]["name"]))]
    stages = bool(result.get("compressed"))
    for one in told.get("students", ()):
        alone = one.get("arm") == "baseline"
        if not stages and not alone:
            pairs.append(("baseline", str(one["name"])))
        pairs.append(("stage" if stages else "baseline" if alone else "student", str(one["name"])))
    pairs += [("plain", str(one["name"])) for one in told.get("plain", ())]
    return [Listed(f"{folder.id}/{role}/{own}", folder.id, name, role, own) for role, own in pairs]


def chosen(known: Sequence[Listed], wanted: Sequence[str] | None) -> list[Listed]:
    """Keep the models that were asked for, in their order. Errors: KDError `latency_model`."""
    if wanted is None:
        return list(known)
    by_id: Mapping[str, Listed] = {one.id: one for one in known}
    if lacking := [name for name in wanted if name not in by_id]:
        raise KDError(
            "There is no model '{name}' to time.",
            "Known: {known}.",
            "latency_model",
            name=lacking[0],
            known=", ".join(by_id),
        )
    return [by_id[name] for name in dict.fromkeys(wanted)]
