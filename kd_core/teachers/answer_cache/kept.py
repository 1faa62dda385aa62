"""What is kept of a teacher: answers under row ids, and a recipe by which they are found without preparing the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core.data.dataset import Array, Dataset
from kd_core.data.library import DataLibrary
from kd_core.errors import DataError
from kd_core.safe_io import read_json, sha256_file, write_json
from kd_core.specs import Choice, DatasetSpec
from kd_core.teachers.answer_cache.coding import decode
from kd_core.teachers.answer_cache.entry import read_entry, read_meta
from kd_core.teachers.answer_cache.packing import part_of
from kd_core.teachers.base import SOURCES, members, without_own_columns
from kd_core.workspace import workspace

FORMAT = 2
ALSO = "also.json"  # beside an entry, in no manifest: other ways in which its rows were asked for


@dataclass(frozen=True)
class KeptAnswers:
    """A teacher's answers for the validation rows, as an earlier run kept them. Legend: V rows, C outputs.

    `part`: another part of the rows, where a run kept that one's answers alone.

    logits (V, C) float32, memory-mapped up to 100 outputs; labels (V,) int64 classes, or float64 in the target's
    unit. `stale`: kept by another version of the code, so good for a picture only. `seconds`: what its fits took.
    """

    logits: Array
    labels: Array
    classes: tuple[str, ...]
    task: str
    stale: bool
    seconds: float
    part: str = "validation"


def teacher_settings(teacher: Choice) -> str:
    """Write a teacher's settings with defaults filled in, as canonical JSON, and what they name by its content. Errors: UnknownName, SpecError."""
    entry = SOURCES.get(teacher.name)
    spec = entry.spec.parse(teacher.settings, f"teacher {teacher.name}")
    asked = [teacher_settings(one) for one in members(teacher) if "content" in SOURCES.get(one.name).facts]
    return " ".join(
        [spec.to_json(), *([str(entry.facts["content"](spec))] if "content" in entry.facts else []), *asked]
    )


def data_key(spec: DatasetSpec) -> str | None:
    """Name a dataset by its file's content and its spec, without reading the rows; None where no hash is known."""
    kind, _, rest = spec.source.partition(":")
    sha256 = spec.sha256 or (rest if kind == "sha256" else None)
    if sha256 is None and kind == "sample":
        sha256 = sha256_file(DataLibrary(workspace()).resolve(spec.source))
    if sha256 is None:
        return None
    what = spec.model_dump(mode="json", exclude={"source", "sha256", "name"})
    what |= {"drop": sorted(spec.drop), "file": sha256}
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def by_metric(teacher: Choice) -> bool:
    """Say whether a teacher's answers depend on the metric of the run."""
    return bool(SOURCES.get(teacher.name).facts.get("by_metric"))


def recipe(
    dataset: Dataset,
    teacher: Choice,
    folds: int,
    seed: int,
    code: str,
    hidden: bool = False,
    metric: str | None = None,
    made_rows: int = 0,
    maps: bool = False,
    weights: bool = False,
    made_as: str = "",
) -> dict[str, Any]:
    """Gather what answers are found by."""
    return {
        **_asked(data_key(dataset.spec), teacher, folds, seed, code, hidden, metric),
        **({"made_rows": made_rows} if made_rows else {}),
        **({"made_as": made_as} if made_as else {}),
        **({"maps": True} if maps else {}),
        **({"weights": True} if weights else {}),
        "task": dataset.task,
        "classes": list(dataset.classes),
    }


def _asked(
    data: str | None, teacher: Choice, folds: int, seed: int, code: str, hidden: bool, metric: str | None
) -> dict[str, Any]:
    """Name what is asked of whom; the metric only where it decides."""
    return {
        "data": data,
        "teacher": teacher.name,
        "settings": teacher_settings(teacher),
        "folds": folds,
        "seed": seed,
        "code": code,
        "hidden": hidden,
        **({"metric": metric} if by_metric(teacher) else {}),
    }


def note(folder: Path, dataset: Dataset) -> None:
    """Note that these rows are asked for by this spec, too: a recipe may leave out what another one says, and mean the same rows."""
    data = data_key(dataset.spec)
    known = _also(folder)
    if data is not None and data not in known and read_meta(folder)["recipe"]["data"] != data:
        write_json(folder / ALSO, {"data": [*known, data]})


def _also(folder: Path) -> list[str]:
    try:
        found: list[str] = list(read_json(folder / ALSO)["data"])
    except (OSError, ValueError, KeyError, TypeError):  # nothing, or damaged: noted again when it is next asked for
        return []
    return found


def require_format(meta: dict[str, Any], teacher: str) -> None:
    """Refuse an entry of another layout. Errors: DataError with code `old_cache`."""
    if meta.get("format") != FORMAT or not {"answers", "recipe"} <= set(meta):
        raise DataError(
            "The kept answers of teacher {teacher} were written by another version.",
            "They are made again.",
            "old_cache",
            teacher=teacher,
        )


def matching(root: Path, wanted: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the finished entries whose recipe has all the wanted values, newest first."""
    found = []
    for path in root.glob("[!.]*/meta.json"):
        try:
            meta, made = read_meta(path.parent), path.stat().st_mtime_ns
            told = {"made_rows": 0, "made_as": "", "maps": False, "weights": False, **meta["recipe"]}
            if wanted.get("data") in _also(path.parent):
                told["data"] = wanted["data"]
            if meta.get("format") == FORMAT and all(told.get(k) == v for k, v in wanted.items()):
                found.append((made, path.parent, meta))
        except (OSError, ValueError, AttributeError, KeyError, TypeError):  # damaged, or just removed: not an answer
            continue
    for _, folder, meta in sorted(found, key=lambda one: one[0], reverse=True):
        yield folder, meta


def is_kept(
    root: Path,
    dataset: DatasetSpec,
    teacher: Choice,
    folds: int,
    seed: int,
    code: str,
    hidden: bool = False,
    metric: str | None = None,
    made_rows: int = 0,
    maps: bool = False,
    weights: bool = False,
    made_as: str = "",
) -> bool:
    """Say whether a run would find these answers; looks at names and recipes only, never at a row."""
    data = data_key(without_own_columns(dataset, teacher))
    more = {"made_rows": made_rows, "made_as": made_as, "maps": maps, "weights": weights}
    wanted = {**_asked(data, teacher, folds, seed, code, hidden, metric), **more}
    return data is not None and next(matching(root, wanted), None) is not None


def size_told(root: Path, dataset: DatasetSpec, teacher: Choice) -> tuple[int, int] | None:
    """Return parameters and bytes of a teacher as its newest kept answers tell them; looks at facts only, never at a row."""
    data = data_key(without_own_columns(dataset, teacher))
    wanted = {"data": data, "teacher": teacher.name, "settings": teacher_settings(teacher)}
    told = next(matching(root, wanted), None) if data is not None else None
    if told is None:
        return None
    about = told[1]["answers"]
    parameters, size = about.get("num_parameters"), about.get("size_bytes")
    return None if parameters is None or size is None else (int(parameters), int(size))


def find(
    root: Path, dataset: DatasetSpec, teacher: Choice, *, folds: int | None, seed: int | None, code: str
) -> KeptAnswers | None:
    """Find kept answers for the validation rows, those of this version of the code first."""
    data = data_key(without_own_columns(dataset, teacher))
    wanted: dict[str, Any] = {"data": data, "teacher": teacher.name, "settings": teacher_settings(teacher)}
    if wanted["data"] is None:
        return None
    wanted |= {k: v for k, v in (("folds", folds), ("seed", seed)) if v is not None}
    for folder, meta in sorted(matching(root, wanted), key=lambda one: one[1]["recipe"]["code"] != code):
        about = meta["recipe"]
        try:
            arrays = part_of(read_entry(folder, "validation")[0], "validation")
            logits, labels = decode(arrays, len(about["classes"]) or 1), arrays["labels"]
        except (DataError, KeyError):  # damaged: whoever trains with this teacher next is told, and mends it
            continue
        return KeptAnswers(
            logits,
            labels,
            tuple(about["classes"]),
            about["task"],
            about["code"] != code,
            float(meta["answers"]["fit_seconds"]),
        )
    return None
