"""Files sorted into folders: the class of each, and its part of the split where there are folders train and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from kd_core.data.types.part_column import are_parts, part_number
from kd_core.errors import DataError, Problem, Says
from kd_core.safe_io import shown_name

_LOOSE = Says(
    "loose_files",
    "warning",
    "{count:,} of the {things} lie in no class folder and were left out: {some}.",
    "Put each into the folder of its class.",
)
_PARTS_JOINED = Says(
    "parts_joined", "note", "The folders {parts} were put together: the split is made here, the same for every run."
)


@dataclass(frozen=True)
class Folders:
    """What the folders of an archive say, by the names of its files. `parts` is empty where they give no split."""

    classes: dict[str, str]
    parts: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def class_folders(files: Collection[str], name: str, things: str, example: str) -> Folders:
    """Find the class of each file: its first folder, below folders that hold everything and below those of the parts.

    `things` says what the files are, `example` how they should lie, in words.
    Errors: DataError `class_folders` where there are fewer than two classes.
    """
    problems: list[Problem] = []
    paths, named = _without_common(files)
    parts = {member: path[0] for member, path in paths.items() if len(path) > 1} if are_parts(named) else {}
    if named:
        paths = {member: path[1:] for member, path in paths.items()}
        if not parts:
            problems.append(_PARTS_JOINED.problem(count=len(named), parts=", ".join(named)))
    loose = [shown_name(member) for member, path in paths.items() if len(path) < 2]
    if loose:
        listed = ", ".join(loose[:5])
        problems.append(_LOOSE.problem(None, len(loose), things=things, some=listed, members=loose[:100]))
    found = {member: path[0] for member, path in paths.items() if len(path) > 1}
    if len(classes := Counter(found.values())) > 1:
        return Folders(found, {member: parts[member] for member in found} if parts else {}, tuple(problems))
    raise DataError(
        "{name} holds {things} in {count} class {count:folder|folders}{which}; at least 2 are needed.",
        "Make one folder per class, with its {things} inside: {example}.",
        "class_folders",
        name=name,
        things=things,
        count=len(classes),
        which="".join(f" ('{c}')" for c in classes),
        example=example,
    )


def gives_parts(files: Collection[str]) -> bool:
    """Say whether the folders of an archive are a split."""
    return are_parts(_without_common(files)[1])


def _without_common(files: Collection[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Cut paths into folders, without those that hold everything; name the first ones where all of them are parts."""
    paths = {member: member.replace("\\", "/").strip("/").split("/") for member in files}
    paths = {member: [p for p in path if p != "."] for member, path in paths.items()}
    while any(len(p) > 2 for p in paths.values()) and len({p[0] for p in paths.values()}) == 1:
        paths = {member: path[1:] for member, path in paths.items()}
    first = sorted({p[0] for p in paths.values() if len(p) > 1})
    return paths, first if first and all(part_number(p) is not None for p in first) else []
