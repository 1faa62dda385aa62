"""A student handed out: made by a target, asked in a clean process, sealed, and kept beside its run."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core import __version__
from kd_core.errors import DataError, SpecError
from kd_core.export import bundle_file
from kd_core.export.parity import Parity, prove
from kd_core.export.targets import TARGETS
from kd_core.registry import Entry
from kd_core.runs.exporting.taking import Taking, take
from kd_core.runs.store.events import utc_now
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import write_bytes, write_json

PLACE = "exports"  # in a run's folder


@dataclass(frozen=True)
class Exported:
    """A file that was proved and kept. `parity` is None where no process can ask it; `unproved` then says why."""

    path: Path
    target: str
    student: str
    size_bytes: int
    sha256: str
    parity: Parity | None
    unproved: str | None
    utc: str


def export(
    run: Path | str, target: str = "bundle", out: Path | None = None, *, student: str | None = None, licence: str = ""
) -> Exported:
    """Make a target of a run's student, prove it and write it: beside the run, and to `out` where that is given.

    Errors: as `take` and `parity.prove`; SpecError `export_unsuited` where the target can't be made of this student.
    """
    return hand_out(take(run, student, licence), target, out)


def hand_out(taking: Taking, target: str, out: Path | None = None) -> Exported:
    """Make, prove and write a target of what was taken. Errors: as `export`."""
    entry, taken = TARGETS.get(target), taking.taken
    if why := entry.facts["suits"](taken):
        raise SpecError(
            "Student '{student}' can't be taken home as '{target}': {why}.",
            "Choose another target: list targets shows them.",
            "export_unsuited",
            student=taken.name,
            target=target,
            why=why,
        )
    with tempfile.TemporaryDirectory(prefix="kd-export-") as place:
        folder = Path(place)
        entry.make(taken, folder)
        told = _told(taking, entry, folder)
        bundle_file.write_manifest(folder, told)
        asked = entry.facts.get("asked")
        proof = prove(asked, folder, taking.rows, taking.answers, taking.spread) if asked else None
        if single := entry.facts.get("single"):
            data = (folder / single).read_bytes()
        else:
            # Not how long it took: the same student gives the same bytes
            lasting = proof and {name: value for name, value in proof.told().items() if name != "seconds"}
            bundle_file.write_manifest(folder, {**told, "parity": lasting})
            data = bundle_file.sealed(folder)
    path = _place(taking.folder, taken.name, target, Path(single or "x.zip").suffix)
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, data)
    kept: dict[str, Any] = {
        "target": target,
        "student": taken.name,
        "file": path.name,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "parity": proof and proof.told(),
        "unproved": None if proof else str(entry.facts["unproved"]),
        "utc": utc_now(),
    }
    write_json(path.with_name(path.name + ".json"), kept)
    if out is not None:
        if out.is_dir():
            raise DataError("{path} is a folder.", "Name a file to write.", "out_is_folder", path=str(out))
        write_bytes(out, data)
    return _exported(out or path, kept)


def foreseen(taking: Taking, target: str) -> int:
    """Say how large a target will be, but for the words of its proof: it is made, and thrown away unproved. Units: bytes."""
    entry = TARGETS.get(target)
    with tempfile.TemporaryDirectory(prefix="kd-export-") as place:
        folder = Path(place)
        entry.make(taking.taken, folder)
        if single := entry.facts.get("single"):
            return int((folder / single).stat().st_size)
        bundle_file.write_manifest(folder, _told(taking, entry, folder))
        return len(bundle_file.sealed(folder))


def kept(folder: RunFolder) -> list[Exported]:
    """List what was handed out of a run and is still as it was written, newest first."""
    found = []
    for record in sorted((folder.path / PLACE).glob("*.json")):
        try:
            told = json.loads(record.read_text("utf-8"))
            path = record.with_suffix("")
            if hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]:
                found.append(_exported(path, told))
        except (OSError, ValueError, KeyError, TypeError):  # cut off, or changed by hand: it can be made again
            continue
    return sorted(found, key=lambda one: one.utc, reverse=True)


def _told(taking: Taking, entry: Entry[Any], folder: Path) -> dict[str, Any]:
    """Say in the manifest what a program must know before it opens anything else."""
    taken = taking.taken
    needs = folder / "requirements.txt"
    return {
        "made_by": __version__,
        "kind": entry.name,
        "name": taken.name,
        "task": taken.facts["task"],
        "target": taken.facts["target"],
        "classes": list(taken.facts["classes"]),
        "view": taken.view,
        "requirements": needs.read_text("utf-8").split() if needs.is_file() else [],
    }


def _place(folder: RunFolder, student: str, target: str, ending: str) -> Path:
    short = re.sub(r"[^a-z0-9]+", "-", student.lower()).strip("-")[:40]
    own = hashlib.sha256(student.encode()).hexdigest()[:8]  # names may hold any character, and be alike but for those
    return folder.path / PLACE / f"{short}-{own}-{target}{ending}"


def _exported(path: Path, told: Mapping[str, Any]) -> Exported:
    proof = told["parity"]
    return Exported(
        path,
        told["target"],
        told["student"],
        told["size_bytes"],
        told["sha256"],
        Parity(**proof) if proof else None,
        told["unproved"],
        told["utc"],
    )
