"""A package of soft labels: a zip of rows that an owner chose to share, with a teacher's answers in place of labels.

Members: `soft_labels.json`, which says what is in it, and `rows.parquet`. No column holds a label.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Literal

from pydantic import Field

from kd_core.data.archives.contents import checked_files
from kd_core.data.files.damage import damage_named
from kd_core.errors import DataError
from kd_core.specs import ColumnKind, Spec

MANIFEST, ROWS = "soft_labels.json", "rows.parquet"
MANIFEST_BYTES = 8 * 2**20  # a thousand classes and two thousand columns with long names are 1 MB


class Manifest(Spec):
    """What a package holds."""

    format: Literal["kd-workbench soft labels"] = Field(description="What kind of file this is.")
    version: Literal[1] = Field(description="Version of this format.")
    name: str = Field(max_length=120, description="Name of the data.")
    rows: int = Field(ge=1, description="Rows.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Hash of the rows' file.")
    kinds: dict[str, ColumnKind] = Field(description="Columns that students learn from, with their types.")
    answers: tuple[str, ...] = Field(min_length=1, max_length=1000, description="Columns with the teacher's answers.")
    classes: tuple[str, ...] = Field(description="The classes in the order of the answers; none for a number.")
    part: str | None = Field(description="Column that says which part of the split a row was in.")
    teacher: str = Field(max_length=120, description="Who answered.")
    folds: int = Field(ge=0, description="Training rows were answered by so many teachers that had not seen them.")
    made: bool = Field(description="Whether the rows were put together from rows of the data, none of which is in it.")
    encoded: bool = Field(description="Whether columns are encoded numbers without their names.")
    left_out: int = Field(ge=0, description="Rows that the teacher had not answered.")
    leaks: tuple[str, ...] = Field(description="What the package tells anyway.")


def is_package(names: list[str]) -> bool:
    """Say whether a zip's members are those of a package."""
    return {MANIFEST, ROWS} <= set(names)


def read_manifest(path: Path, name: str) -> Manifest:
    """Read what a package says of itself. Errors: DataError `incomplete`, `unsafe_path` and the like, `package_manifest`; SpecError."""
    with damage_named(name), zipfile.ZipFile(path) as archive:
        checked_files(archive, name)
        if archive.getinfo(MANIFEST).file_size > MANIFEST_BYTES:
            raise DataError(
                "{name} says more than {most:,} bytes about itself.",
                "Export it again.",
                "package_manifest",
                name=name,
                most=MANIFEST_BYTES,
            )
        text = archive.read(MANIFEST).decode("utf-8", "replace")
    return Manifest.from_json(text)


def unpack_rows(path: Path, manifest: Manifest, to: Path, name: str) -> None:
    """Write the rows' file, if it is the one that the manifest speaks of. Errors: DataError `package_changed`, `incomplete`."""
    found = hashlib.sha256()
    with damage_named(name), zipfile.ZipFile(path) as archive, archive.open(ROWS) as packed, to.open("wb") as out:
        while chunk := packed.read(2**20):
            found.update(chunk)
            out.write(chunk)
    if found.hexdigest() != manifest.sha256:
        raise DataError(
            "The rows of {name} are not those that it was exported with.",
            "Get the package again from who exported it.",
            "package_changed",
            name=name,
        )
