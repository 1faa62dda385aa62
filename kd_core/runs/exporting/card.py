"""What a model card says of a student, as plain values: from what data and recipe it is, how good it is, and for what it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from kd_core import __version__
from kd_core.export.purpose import Purpose
from kd_core.listing import parts
from kd_core.runs.settings.untaught import own_baseline
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.kept_as import taken_as
from kd_core.runs.store.student_names import titled
from kd_core.specs import RunSpec


def card_of(folder: RunFolder, student: Mapping[str, Any], purpose: Purpose, licence: str = "") -> dict[str, Any]:
    """Gather the card of a run's student. `student`: as model.json lists it, a plain model included. Errors: KDError `run_damaged`."""
    result, spec = folder.result(), folder.spec()
    assert result is not None  # a run that has a model has a result
    judged = _judged(result, student)
    return {
        "name": student["name"],
        "called": titled(student),
        "made_by": f"KD Workbench {__version__}",
        "run": result.get("run_id", folder.id),
        "created_utc": result.get("created_utc"),
        "licence": licence,
        "task": purpose.task.name,
        "target": purpose.questions.target,
        "classes": list(purpose.classes),
        **({} if purpose.questions.one else {"answers": [one.told() for one in purpose.questions.every]}),
        "data": result["dataset"],
        **({"time": spec.dataset.time} if spec.dataset.time else {}),
        "architecture": {**student["arch"], "reads": student["kind"]},
        "metric": result["metric"],
        **judged,
        "teacher": {"name": spec.teacher.name, "metrics": result["teacher"].get("metrics") or {}},
        "recipe": _recipe(spec),
        "environment": result.get("environment", {}),
        "references": _references(spec, student, judged["taught"]),
        "limits": _limits(result, purpose, spec.dataset.time),
    }


def _recipe(spec: RunSpec) -> dict[str, Any]:
    """Return the recipe without the places of files on the machine that it was carried out on."""
    told: dict[str, Any] = spec.model_dump(mode="json", exclude_none=True)
    source = str(told["dataset"]["source"])
    if not source.startswith(("sample:", "sha256:")):
        told["dataset"]["source"] = PurePath(source.replace("\\", "/")).name
    return told


def _judged(result: Mapping[str, Any], student: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a student was measured, or a plain model; empty where an older result does not say."""
    if small := result.get("compressed"):
        return _stage(small, student)
    name = student.get("student", student["name"])  # of one trained alone, whose teacher hurt
    found = next((one for one in result["students"] if one["name"] == name), None)
    if found is None:
        return _plain(result, name)
    alone = "student" in student or student.get("arm") == "baseline" or own_baseline(found)
    side = found["baseline"] if alone else found
    keys = ("parameters", "size_bytes", "latency_ms", "deployed", "seeds")
    own = {"size_bytes": student["bytes"]} if "bytes" in student else {}
    compared = {} if alone else {"gain": found["gain"], "versus_teacher": found["versus_teacher"]}
    return {
        "metrics": side["metrics"],
        "seed": student.get("seed"),
        **{key: found[key] for key in keys if key in found},
        **own,
        **compared,
        "baseline": found["baseline"]["metrics"],
        "verdict": found.get("verdict"),
        "taught": not alone,
        "reference": found.get("reference"),
        **({"tasks": found["tasks"]} if "tasks" in found and not alone else {}),
    }


def _stage(small: Mapping[str, Any], student: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a stage of a student that was made smaller was measured, by which steps it was made, and what it lost."""
    stages = small["stages"]
    stage = next(one for one in stages if one["name"] == student["name"])
    steps: list[Mapping[str, Any]] = []
    at = stage
    while at["step"] is not None:
        steps.insert(0, at["step"])
        at = stages[at["parent"]]
    means = stage["metrics"]
    return {
        "metrics": {name: {"mean": mean, "values": stage["values"][name]} for name, mean in means.items()},
        "seed": student.get("seed"),
        "seeds": stage["seeds"],
        "parameters": stage["parameters"],
        "size_bytes": stage["bytes"],
        "latency_ms": stage["latency"],
        "taught": not small["alone"],
        "steps": steps,
        "lost": stage["lost"],
    }


def _plain(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return how a plain model was measured: on the test rows only where a student was set beside it, else on validation rows."""
    known = (result.get("references") or {}).get("known", ())
    one: Mapping[str, Any] = next((one for one in known if taken_as(one["name"]) == name), {})
    beside = [r for s in result["students"] for r in (s.get("reference") or {}).values() if isinstance(r, Mapping)]
    tested = next((r for r in beside if r.get("name") == one.get("name") and r.get("metrics")), {})
    return {
        **({"title": one["title"]} if "title" in one else {}),
        "metrics": tested.get("metrics", {}),
        "selected": one.get("selected"),
        "size_bytes": one.get("bytes"),
        "taught": False,
        "plain": True,
    }


def _references(spec: RunSpec, student: Mapping[str, Any], taught: bool) -> list[dict[str, str]]:
    """Name what was used and where it was published."""
    used = {("kd_core.models", "ARCHS"): student["arch"]["name"]}
    if taught:
        used |= {("kd_core.distill", "LOSSES"): spec.objective.name, ("kd_core.teachers", "SOURCES"): spec.teacher.name}
    found = (one for (package, registry), name in used.items() for one in parts(package, registry) if one.name == name)
    return [{"what": one.title, "source": one.source} for one in found if one.source]


def _limits(result: Mapping[str, Any], purpose: Purpose, time: str | None) -> list[str]:
    """Say in sentences for what the student is not."""
    rows = result["dataset"]["rows"]
    which = (
        f"the newest rows of the file, by '{time}'; it learned from older ones"
        if time
        else "rows of the same file that it learned from"
    )
    said = [
        f"It was judged by {which} ({rows['test']:,} to test by); rows of another time, place or kind may be answered worse.",
        "It answers every row, however unlike those that it knows: a likely class is no promise.",
        "Values that it never met count as unknown, and what can't be read counts as missing.",
    ]
    if purpose.task.has_classes:
        said.append(f"It knows {len(purpose.classes):,} classes and no other.")
    return said + [str(one["message"]) for one in result.get("problems", ()) if one.get("severity") == "warning"]
