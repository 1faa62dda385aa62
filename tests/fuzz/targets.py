"""What is attacked: each target reads one input to the end and answers, or refuses it as a KDError."""

from __future__ import annotations

import importlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kd_core.data.files import sandbox
from kd_core.data.files.reading import read_table
from kd_core.data.profile import profile_table
from kd_core.distill import LOSSES
from kd_core.errors import DataError, KDError
from kd_core.models import ARCHS
from kd_core.runs.plan import check
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import row_of
from kd_core.runs.view.snapshot import snapshot
from kd_core.specs import RunSpec
from kd_core.teachers import SOURCES
from tests.fuzz.mutations import changed_values, damaged, damaged_inside
from tests.fuzz.originals import EXAMPLE, RUN_FILES, originals

KINDS = ("csv", "gz", "jsonl", "parquet", "spec", "result", "xlsx", "zip")
JSON_KINDS = ("spec", "result")


def make_input(kind: str, seed: int, number: int) -> tuple[int, bytes]:
    """Make an input again from its three numbers: (which original, bytes)."""
    chance = random.Random(f"{kind}:{seed}:{number}")
    place = chance.randrange(len(originals(kind)))
    original = originals(kind)[place]
    is_lines = kind == "result" and RUN_FILES[place].endswith("l")
    if kind in JSON_KINDS and not is_lines and chance.random() < 0.7:
        return place, changed_values(original.decode("utf-8"), chance)
    if kind in ("xlsx", "zip") and chance.random() < 0.7:
        return place, damaged_inside(original, chance)
    return place, damaged(original, chance)


def attack(kind: str, place: int, data: bytes, folder: Path) -> str:
    """Give one input to its target and name what came out; what is no KDError comes through."""
    try:
        if kind == "spec":
            return _read_spec(data)
        if kind == "result":
            return _read_run(RUN_FILES[place], data, folder)
        return _read_table(data, folder)
    except KDError as error:
        text = str(error)
        text.encode("utf-8")
        assert error.message and error.hint and len(text) < 20_000, f"{len(text)} characters: {text[:200]!r}"
        return error.code


def _read_table(data: bytes, folder: Path) -> str:
    path = folder / "upload"
    path.write_bytes(data)
    table = read_table(path)
    found = profile_table(table)
    for problem in found.problems:
        str(problem).encode("utf-8")
    return table.format


def _read_spec(data: bytes) -> str:
    spec = RunSpec.from_json(data.decode("utf-8", "replace"))
    assert RunSpec.from_json(spec.to_json()) == spec
    spec.work_hash()
    spec.title().encode("utf-8")
    for problem in check(spec, "binary", 2):
        str(problem).encode("utf-8")
    parts: list[tuple[Any, Any]] = [
        (SOURCES, spec.teacher),
        (LOSSES, spec.objective),
        *((ARCHS, s.arch) for s in spec.students),
    ]
    for registry, choice in parts:
        registry.get(choice.name).spec.parse(choice.settings, choice.name).to_json()
    return "spec"


def _read_run(name: str, data: bytes, folder: Path) -> str:
    """Read every part of a finished run of which one file is damaged; each part answers or refuses by itself."""
    run = folder / "20260101-0000-abcd"
    if not run.is_dir():
        shutil.copytree(EXAMPLE, run)
    for other in RUN_FILES:
        shutil.copyfile(EXAMPLE / other, run / other)
    (run / name).write_bytes(data)
    held = RunFolder(run)
    parts: list[Callable[[], object]] = [held.spec, held.status, held.events, held.result, held.manifest, held.damage]
    parts += [lambda: snapshot(RunFolder(run)), lambda: row_of(RunFolder(run))]
    refused = []
    for part in parts:
        try:
            part()
        except KDError as error:
            assert error.message and error.hint and len(str(error)) < 20_000
            refused.append(error.code)
    return f"{name}: {refused[0] if refused else 'read'}"


def call_here(function: str, *arguments: Any) -> Any:
    """Stand in for `sandbox.call`: the same function in this process, which is one that may die.

    An exception that the real child would answer with `parse_crash` gets that code here, with its type.
    """
    module, _, name = function.partition(":")
    given = json.loads(json.dumps(arguments))
    try:
        return json.loads(json.dumps(getattr(importlib.import_module(module), name)(*given)))
    except KDError as error:
        raise DataError("{text}", "{advice}", error.code, text=error.message, advice=error.hint) from error
    except MemoryError:
        raise DataError("The file takes too much memory.", "Take a sample.", "parse_memory") from None
    except Exception as error:
        raise DataError(
            "{text}", "Save it again.", f"parse_crash {type(error).__name__}", text=str(error)[:300] or "?"
        ) from error


def read_here() -> None:
    """Let readers call their child function in this process: a child an input would take most of the time."""
    sandbox.call = call_here
