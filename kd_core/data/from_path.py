"""A dataset as it is asked for on a command line: a path, and choices in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kd_core.data.files.header import read_names
from kd_core.data.library import DataLibrary
from kd_core.data.readers import pick
from kd_core.errors import DataError, SpecError
from kd_core.safe_io import sha256_file
from kd_core.specs import DatasetSpec, ReadSpec
from kd_core.task import TASKS
from kd_core.workspace import workspace


def dataset_spec(data: str, target: str, read: ReadSpec, **chosen: Any) -> DatasetSpec:
    """Say which rows are learned from; the file's hash is part of it.

    Errors: DataError when there is no such file, SpecError for a choice out of bounds.
    """
    path = DataLibrary(workspace()).resolve(data)
    return DatasetSpec.parse(
        {
            "source": data if data.startswith("sample:") else str(path.resolve()),
            "sha256": sha256_file(path),
            "name": path.stem[:120],
            "target": target,
            "read": read,
            **chosen,
        },
        "data",
    )


def history_roles(
    user: str | None, item: str | None, targets: Sequence[str] | None, task: str | None, group: str | None
) -> tuple[list[str] | None, str | None, str | None]:
    """Say by columns of user and item that the next item is predicted; return targets, task and group.

    Errors: SpecError `user_and_item`.
    """
    known = list(targets) if targets else None
    if user is None and item is None:
        return known, task, group
    histories = next(e.make for e in TASKS.entries() if e.make.by_history)
    clash = next(
        (word for word, there in {"--group": group, "--target": item and known}.items() if there is not None and there),
        None if task in (None, histories.name) else f"--task {task}",
    )
    if user is None or (item is None and not known) or clash:
        raise SpecError(
            "--user and --item name the columns of who chose what{clash}.",
            "Give both, and leave out --target, --group and --task; for a column of lists give --target COLUMN --task {task}.",
            "user_and_item",
            clash=f"; they do not go with {clash}" if clash else "",
            task=histories.name,
        )
    return known if item is None else [item], histories.name, user


def implied_target(data: str) -> str:
    """Name the column that a file's format predicts by itself: the class folder of pictures.

    Errors: DataError `no_target` for any other file; `no_file`.
    """
    path = DataLibrary(workspace()).resolve(data)
    target: str | None = pick(path, path.name).facts.get("target")
    if target is None:
        raise DataError(
            "{name} does not say which column is to be predicted.",
            "Name it: --target COLUMN. `profile` lists the columns.",
            "no_target",
            name=path.name,
        )
    return target


def implied_answers(data: str) -> tuple[str, ...]:
    """Name the columns with a teacher's answers of a file that has them in place of a target; none of any other file.

    Errors: DataError `no_file`, those of the reader.
    """
    path = DataLibrary(workspace()).resolve(data)
    told = pick(path, path.name).facts.get("answers")
    found: tuple[str, ...] = () if told is None else told(path)
    return found


def implied_part(data: str) -> str | None:
    """Name the column of parts that the folders or files of an archive make, None where they say nothing of a split.

    Errors: DataError `no_file`.
    """
    path = DataLibrary(workspace()).resolve(data)
    told = pick(path, path.name).facts.get("part")
    found: str | None = None if told is None else told(path)
    return found


def implied_group(data: str) -> str | None:
    """Name the column of groups that a file's format makes, such as its queries; None where it has none.

    Errors: DataError `no_file`.
    """
    path = DataLibrary(workspace()).resolve(data)
    told = pick(path, path.name).facts.get("group")
    found: str | None = None if told is None else told(path)
    return found


def read_spec(path: Path, member: str | None = None, header: str = "auto", names: str | None = None) -> ReadSpec:
    """Say how a file is read: which table of several, what its first row is, and the names of its columns.

    Errors: DataError with code `member_of_what` for a table of a file that holds one; SpecError for an unknown header.
    """
    values: dict[str, Any] = {"header": header, "names": read_names(names or "")}
    if member is not None:
        fields = {".zip": "member", ".xlsx": "sheet", ".xlsm": "sheet"}
        if path.suffix.lower() not in fields:
            raise DataError(
                "--member names a table inside a zip or a sheet of a workbook; {name} is neither.",
                "Leave it out.",
                "member_of_what",
                name=path.name,
            )
        values[fields[path.suffix.lower()]] = member
    return ReadSpec.parse(values, "the file")


def missing_words(missing: Sequence[str], values: Sequence[str]) -> dict[str, bool]:
    """Say in which columns words such as NA are missing cells, and in which they are values.

    Errors: DataError with code `missing_twice` for a column that is in both lists.
    """
    both = sorted(set(missing) & set(values))
    if both:
        raise DataError(
            "--missing and --not-missing both name {column}.", "Name it once.", "missing_twice", column=both[0]
        )
    return dict.fromkeys(missing, True) | dict.fromkeys(values, False)
