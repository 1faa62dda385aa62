"""Models fetched once from a hub: only those that are allowed here, at a pinned revision, three files each, into the workspace.

A revision is a commit: what it names never changes. Nothing else of a repository is asked for, no code, no pickle, and no token is sent.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core.errors import DataError, KDError, SpecError
from kd_core.safe_io import Damaged, read_object, sha256_file, write_json
from kd_core.teachers.pretrained import folders
from kd_core.teachers.pretrained.download import Base, Missing, base_of, download

ALLOWED = "KD_HUB_MODELS"  # environment: models that may be fetched, with commas between them; none when empty
ADDRESS = "HF_ENDPOINT"  # environment: another address of the hub, by the name that its own programs know
USUAL = "https://huggingface.co"
ORIGIN = "origin.json"  # beside the files of a model: where they came from, and their hashes
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REVISION = r"[0-9a-f]{40}"
_NAMED = re.compile(f"({_PART}/{_PART})(?:@(.*))?", re.DOTALL)
Tell = Callable[[str, int, int], None]  # file, bytes so far, bytes of the whole (0: not said)


@dataclass(frozen=True)
class HubModel:
    """A model of a hub at one of its commits."""

    name: str
    revision: str

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}"


def is_meant(text: str) -> bool:
    """Say whether a text names a model of a hub rather than a folder: owner/name, with a revision or where there is no such folder."""
    found = _NAMED.fullmatch(text)
    return found is not None and (found[2] is not None or not Path(text).exists())


def parse(text: str) -> HubModel:
    """Take a name apart. Errors: SpecError `hub_name`, `hub_revision`."""
    found = _NAMED.fullmatch(text.strip())
    if found is None or ".." in found[1]:
        raise SpecError(
            "{text!r} does not name a model of the hub.",
            "Write owner/name@revision, with the 40 hexadecimal digits of a commit.",
            "hub_name",
            text=text[:120],
        )
    if not re.fullmatch(_REVISION, found[2] or ""):
        raise SpecError(
            "{name} is named {revision}: what it holds could change at any time.",
            "Write {name}@ and the 40 hexadecimal digits of a commit (on the model's page: Files, History). A folder is named by its path, which does not exist here.",
            "hub_revision",
            name=found[1],
            revision=f"at {found[2][:60]!r}, which is no commit" if found[2] else "without a revision",
        )
    return HubModel(found[1], found[2])


def allowed() -> dict[str, set[str]]:
    """Name the models that may be fetched here, each with its revisions; none for any. Errors: SpecError `hub_list`."""
    known: dict[str, set[str]] = {}
    for one in filter(None, map(str.strip, os.environ.get(ALLOWED, "").split(","))):
        found = _NAMED.fullmatch(one)
        if found is None or (found[2] is not None and not re.fullmatch(_REVISION, found[2])):
            raise SpecError(
                "{variable} is not understood: {one!r}.",
                "It holds owner/name or owner/name@revision, with commas between them.",
                "hub_list",
                variable=ALLOWED,
                one=one[:120],
            )
        known.setdefault(found[1], set()).update({found[2]} - {None})
    return known


def why_off() -> str | None:
    """Say why nothing may be fetched here, or None."""
    try:
        known = allowed()
    except SpecError as error:
        return f"is switched off: {error.message}"
    if known:
        return None
    return f"is switched off: whoever runs this workbench allows models by {ALLOWED}=owner/name"


def known_as(text: str, kind: str = folders.TEXTS, tell: Tell = lambda file, done, whole: None) -> str:
    """Return the name in the workspace of a model of the hub, fetched where it is not there yet.

    Errors: SpecError `hub_name`, `hub_revision`, `hub_list`, `hub_not_allowed`, `hub_address`; KDError `hub_offline`, `hub_refused`;
    DataError `hub_file`, `hub_damaged`, `hub_changed`, and those of `folders.add`.
    """
    asked = parse(text)
    _check_allowed(asked)
    return kept(asked, kind) or _fetch(asked, kind, tell)


def kept(asked: HubModel, kind: str = folders.TEXTS) -> str | None:
    """Name the folder of the workspace that holds a model as it was fetched, or None."""
    for place in sorted(folders.models().glob(f"*/{ORIGIN}")):
        told = _told(place.parent)
        if str(asked) in told.get("models", []) and _is_whole(place.parent, told, kind):
            return place.parent.name
    return None


def origin(name: str) -> str | None:
    """Say which model of the hub a folder of the workspace is, or None where it came from elsewhere."""
    told = _told(folders.models() / name) if re.fullmatch(folders.NAME, name) else {}
    return next(iter(told.get("models", [])), None)


def _check_allowed(asked: HubModel) -> None:
    known = allowed()
    revisions = known.get(asked.name)
    if revisions is None or (revisions and asked.revision not in revisions):
        shown = [f"{n}@{r}" for n, some in known.items() for r in sorted(some) or ["any commit"]]
        raise SpecError(
            "{asked} is not among the models that may be fetched here: {known}.",
            "Whoever runs this workbench adds it to {variable}, for example {variable}={name}. Or take its folder: save_pretrained() "
            "where it can be fetched, and name the folder's path on the command line, or put it into the workspace's folder 'models'.",
            "hub_not_allowed",
            asked=str(asked),
            known=", ".join(shown) or "none",
            variable=ALLOWED,
            name=asked.name,
        )


def _fetch(asked: HubModel, kind: str, tell: Tell) -> str:
    """Bring the files beside, check them, and take them in as a folder of the person's own."""
    base = base_of(os.environ.get(ADDRESS, "").strip() or USUAL, ADDRESS)
    folders.models().mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = Path(tempfile.mkdtemp(dir=folders.models(), prefix=".incoming-"))
    try:
        folder = beside / asked.name.partition("/")[2]
        folder.mkdir()
        for file in folders.KINDS[kind].files:
            _bring(base, asked, file, folder / file, kind, tell)
        hashes = {file: sha256_file(folder / file) for file in folders.KINDS[kind].files}
        found = folders.add(folder, kind)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    place = folders.models() / found
    told = _told(place)
    models = list(dict.fromkeys([*told.get("models", []), str(asked)]))
    told = {"schema": 1, "models": models, "address": base.shown, "sha256": hashes}
    if not _is_whole(place, told, kind):
        raise DataError(
            "The folder {folder!r} of the workspace's folder 'models' is not what {asked} holds: a file of it was changed.",
            "Delete or rename that folder, then ask again.",
            "hub_changed",
            folder=found,
            asked=str(asked),
        )
    write_json(place / ORIGIN, told)
    return found


def _bring(base: Base, asked: HubModel, file: str, to: Path, kind: str, tell: Tell) -> None:
    """Download one file. Errors: as `download`; DataError `hub_file` where the model has none of that name."""
    try:
        download(
            base,
            f"/{asked.name}/resolve/{asked.revision}/{file}",
            to,
            folders.FILE_BYTES[file],
            lambda done, whole: tell(file, done, whole),
            asked.revision,
        )
    except Missing:
        raise DataError(
            "{asked} has no file {file} on {host}, or is not open to everyone.",
            "Needed are {files}. Where the model can be opened, save_pretrained() of model and {writer} writes them; name that folder's path instead.",
            "hub_file",
            asked=str(asked),
            file=file,
            host=base.host,
            files=", ".join(folders.KINDS[kind].files),
            writer=folders.KINDS[kind].writer,
        ) from None


def _told(folder: Path) -> dict[str, Any]:
    """Read where a folder came from; nothing where it does not say so, or not readably."""
    try:
        found = read_object(folder / ORIGIN)
    except (OSError, Damaged):
        return {}
    models, hashes = found.get("models"), found.get("sha256")
    return found if isinstance(models, list) and isinstance(hashes, dict) else {}


def _is_whole(folder: Path, told: Mapping[str, Any], kind: str) -> bool:
    """Say whether the files are those that were fetched."""
    try:
        folders.find(folder.name, kind)
        return told.get("sha256") == {f: sha256_file(folder / f) for f in folders.KINDS[kind].files}
    except (KDError, OSError):
        return False
