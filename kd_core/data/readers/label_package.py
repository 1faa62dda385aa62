"""A package of soft labels: rows with a teacher's answers and no labels, as `export-labels` writes it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from kd_core.data.archives.contents import member_names
from kd_core.data.archives.label_package import is_package, read_manifest, unpack_rows
from kd_core.data.readers import READERS
from kd_core.data.readers.parquet import read_parquet
from kd_core.data.table import Table
from kd_core.errors import DataError, Says
from kd_core.specs import ColumnKind, ReadSpec

_FROM = Says(
    "label_package",
    "note",
    "A package of soft labels: {count:,} {what} of '{name}' answered by {teacher}, without labels; {left:,} rows had no answer and were left out.",
    "What it tells anyway: {leaks}",
)


def _is_package(path: Path, head: bytes) -> bool:
    return is_package(member_names(path, head))


@READERS.register(
    "label_package",
    title="Package of soft labels",
    extensions=(".zip",),
    recognises=_is_package,
    noun="a package of soft labels",
    starts="PK",
    part=lambda path: read_manifest(path, path.name).part,
    answers=lambda path: read_manifest(path, path.name).answers,
)
def read_label_package(path: Path, read: ReadSpec, name: str) -> Table:
    """Read the rows with the types that they were exported with.

    Errors: DataError `package_changed`, `package_columns`, `package_manifest`, those of zips and of Parquet; SpecError.
    """
    about = read_manifest(path, name)
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        rows = Path(folder) / "rows"
        unpack_rows(path, about, rows, name)
        table = read_parquet(rows, read, name)
    part: list[str] = [about.part] if about.part else []
    wanted = [*about.kinds, *about.answers, *part]
    found = [str(column) for column in table.frame.columns]
    if sorted(wanted) != sorted(found) or len(table.frame) != about.rows:
        raise DataError(
            "{name} holds {rows:,} rows with the columns {found}; it says {wanted_rows:,} rows with {wanted}.",
            "Export it again.",
            "package_columns",
            name=name,
            rows=len(table.frame),
            found=", ".join(found[:20]),
            wanted_rows=about.rows,
            wanted=", ".join(wanted[:20]),
        )
    own: dict[str, ColumnKind] = {**about.kinds, **dict.fromkeys(about.answers, "number"), **dict.fromkeys(part, "id")}
    note = _FROM.problem(
        count=about.rows,
        what="made rows" if about.made else "rows",
        name=about.name,
        teacher=about.teacher,
        left=about.left_out,
        leaks=" ".join(about.leaks),
    )
    return replace(
        table,
        format="label_package",
        understood={"format": "Package of soft labels"},
        problems=(*table.problems, note),
        size_bytes=path.stat().st_size,
        kinds=own,
        part=about.part,
        answers=about.answers,
    )
