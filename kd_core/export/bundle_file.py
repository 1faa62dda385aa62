"""The file that is handed out: a folder sealed as a zip in which every changed byte is found, and its reader.

Two locks: `manifest.json` holds the SHA-256 of each file and of itself, the zip's comment that of all bytes before it. Reading
executes nothing of what lies inside.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kd_core import limits
from kd_core.data.archives.contents import checked_files
from kd_core.errors import KDError

SCHEMA = 1
MANIFEST, MODEL = "manifest.json", "model.onnx"
MOST_BYTES = limits.FILE_BYTES  # of a bundle, and again of all that it unpacks to
_SEAL = b"sha256:"
_SEAL_BYTES = len(_SEAL) + 64
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows: the same files give the same bytes


def write_manifest(folder: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest of a folder's files beside them and return it. `told`: what else it says, plain JSON."""
    files = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in _files(folder)}
    manifest: dict[str, Any] = {"schema": SCHEMA, **told, "files": files}
    manifest["self"] = own_hash(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")
    return manifest


def own_hash(manifest: Mapping[str, Any]) -> str:
    """Hash what a manifest says, but for its own hash: JSON with sorted keys and no spaces."""
    rest = {key: value for key, value in manifest.items() if key != "self"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sealed(folder: Path) -> bytes:
    """Pack a folder with its manifest; the same files give the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in [(MANIFEST, folder / MANIFEST), *_files(folder)]:
            archive.writestr(zipfile.ZipInfo(name, _TIME), data.read_bytes(), zipfile.ZIP_DEFLATED, 9)
        archive.comment = _SEAL + b"0" * 64  # as long as the hash that takes its place
    rest = file.getvalue()[:-_SEAL_BYTES]
    return rest + _SEAL + hashlib.sha256(rest).hexdigest().encode()


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = ((path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file())
    return [(name, path) for name, path in found if name != MANIFEST]


def opened(path: Path | str) -> tuple[dict[str, Any], bytes]:
    """Check a bundle and return its manifest and the bytes of its model. Nothing is unpacked to the disk or executed.

    Errors: KDError `bundle_damaged`, `bundle_version`; DataError as `checked_files`; OSError.
    """
    manifest, files = contents(path)
    if MODEL not in files:
        raise _damaged(Path(path), f"{MODEL} is missing")
    return manifest, files[MODEL]


def contents(path: Path | str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Check a bundle and return its manifest and all other files by name. Errors: as `opened`."""
    path = Path(path)
    if (size := path.stat().st_size) > MOST_BYTES:
        raise _damaged(path, f"it has {size:,} bytes, and a bundle has at most {MOST_BYTES:,}")
    data = path.read_bytes()
    rest, seal = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
    if not data.startswith(b"PK"):
        raise _damaged(path, "it is no zip")
    if not seal.startswith(_SEAL):
        raise _damaged(path, "it has no seal at its end: it was cut off, changed, or packed again by another program")
    if seal != _SEAL + hashlib.sha256(rest).hexdigest().encode():
        raise _damaged(path, "its bytes are not those that were sealed")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            usual, other = checked_files(archive, path.name)
            infos = [*usual, *other]
            if (total := sum(info.file_size for info in infos)) > MOST_BYTES:
                raise _damaged(path, f"it unpacks to {total:,} bytes, and a bundle to at most {MOST_BYTES:,}")
            files = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise _damaged(path, f"the zip can't be read ({error})") from None
    if MANIFEST not in files:
        raise _damaged(path, f"{MANIFEST} is missing")
    manifest = _manifest(path, files.pop(MANIFEST))
    if lacking := [name for name in manifest["files"] if name not in files]:
        raise _damaged(path, f"{lacking[0]} is missing")
    if more := [name for name in files if name not in manifest["files"]]:
        raise _damaged(path, f"{more[0]} is none of its files")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest["files"][name]:
            raise _damaged(path, f"{name} is not the file that was put in")
    return manifest, files


def _manifest(path: Path, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise _damaged(path, f"{MANIFEST} is no JSON ({error})") from None
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise _damaged(path, f"{MANIFEST} lists no files")
    if found.get("schema") != SCHEMA:
        raise KDError(
            "{name} is a bundle of version {found}; this program reads version {schema}.",
            "Export it again from its run: export RUN --target bundle --out FILE.zip.",
            "bundle_version",
            name=path.name,
            found=found.get("schema"),
            schema=SCHEMA,
        )
    if found.get("self") != own_hash(found):
        raise _damaged(path, f"{MANIFEST} is not as it was written")
    return found


def _damaged(path: Path, why: str) -> KDError:
    return KDError(
        "{name} is no whole bundle: {why}.",
        "Copy it again, or export it again from its run.",
        "bundle_damaged",
        name=path.name,
        why=why,
    )
