"""What a session says: each model's time as it is deployed, what that costs a day, which runtime is fastest, what was not timed. Plain values, no words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kd_core.evaluate.cost import Cost, CostSpec, cost

Found = Mapping[str, Any]  # a session, as it is kept
AS_DEPLOYED = ("onnxruntime", "own", "torch", "compile")
FORMS = ("whole", "network")
BUSY = 1.5  # one thread took about this many times as long as on an idle machine
BY_RUN = ("whole", "onnxruntime", "native", "torch")


@dataclass(frozen=True)
class Deployed:
    """How long one batch takes a model as it is deployed. `by_run`: its run measured it, alone and at another time. Units: milliseconds."""

    model: str
    p50: float
    form: str
    runtime: str
    threads: int
    by_run: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Costed:
    """What a model costs a day, and the time that it follows from."""

    time: Deployed
    cost: Cost


@dataclass(frozen=True)
class Fastest:
    """The runtime chosen for a network and so many rows. `deployed`: p50 of its file on one thread; `p50` of the chosen way; `times`: how long it takes
    against the fastest of the session. Units: milliseconds; None where the session did not time it.
    """

    model: str
    batch: int
    runtime: str
    threads: int
    p50: float
    deployed: float | None
    times: float | None

    @property
    def file_is_slower(self) -> bool:
        """Say that torch answers faster than the deployed file."""
        return self.runtime != "onnxruntime" and self.deployed is not None


def batches(found: Found) -> list[int]:
    """List the numbers of rows that were timed."""
    return sorted({int(one["batch"]) for one in found["times"]})


def is_busy(found: Found) -> bool:
    """Say whether other work made this session's times longer than they are on an idle machine."""
    return float(found["machine"].get("busy", 1.0)) >= BUSY


def names(found: Found) -> dict[str, Mapping[str, Any]]:
    """Return the models by their ids."""
    return {one["id"]: one for one in found["models"]}


def deployed(found: Found, model: str, batch: int) -> Deployed | None:
    """Find a model's time as it is deployed: from the raw row on before the network alone, its file before torch, on as few threads as were timed."""
    mine = [t for t in found["times"] if t["model"] == model and t["batch"] == batch and t["device"] == "cpu"]
    order = sorted(mine, key=lambda t: (FORMS.index(t["form"]), AS_DEPLOYED.index(t["runtime"]), t["threads"]))
    if order:
        one = order[0]
        return Deployed(
            model, one["p50"], one["form"], one["runtime"], one["threads"], low=one["low"], high=one["high"]
        )
    by_run = names(found)[model].get("by_run") or {}
    for name in BY_RUN:
        taken = by_run.get(name, {}).get(str(batch))
        if taken:
            return Deployed(model, float(taken["p50"]), "whole" if name == "whole" else "network", name, 1, by_run=True)
    return None


def costs(found: Found, asked: CostSpec) -> list[Costed]:
    """Tell what every model costs a day that has a time for batches of that many rows, the dearest first."""
    times = [one for model in names(found) if (one := deployed(found, model, asked.batch))]
    known = [Costed(one, cost(one.p50, one.threads, asked)) for one in times]
    return sorted(known, key=lambda one: -one.cost.seconds)


def fastest(found: Found) -> list[Fastest]:
    """Tell the runtimes that were chosen."""
    told = []
    for one in found["chosen"]:
        probe = {(p["runtime"], p["threads"]): p["p50"] for p in one["probe"]}
        session = one.get("session") or {}
        told.append(
            Fastest(
                one["model"],
                one["batch"],
                one["runtime"],
                one["threads"],
                probe[one["runtime"], one["threads"]],
                probe.get(("onnxruntime", 1)),
                session.get("times"),
            )
        )
    return told


def not_timed(found: Found) -> list[tuple[str, str]]:
    """List models with why something of them was not timed, each reason once."""
    said = [(one["id"], why["reason"]) for one in found["models"] for why in one["missing"]]
    said += [(one["model"], one["reason"]) for one in found["fresh"] if "reason" in one]
    return _once(said)


def _once(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(said))


def starts(found: Found) -> list[Mapping[str, Any]]:
    """List the cold starts that were measured."""
    return [one for one in found["fresh"] if "seconds" in one]


def newest(some: Sequence[Found]) -> Found | None:
    """Return the newest of several sessions."""
    return max(some, key=lambda one: str(one["utc"]), default=None)
