"""A zip's table of contents, checked before a byte is unpacked. Imports nothing heavy: child processes use it."""

from __future__ import annotations

import re
import stat
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from kd_core import limits
from kd_core.data.files.damage import ZIP_DAMAGE
from kd_core.data.files.signatures import is_zip
from kd_core.errors import DataError, Problem, Says, raise_problems
from kd_core.safe_io import shown_name

_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)

_ENCRYPTED = Says(
    "encrypted",
    "error",
    "'{member}' is password-protected{more}.",
    "Unpack it with the password and upload the tables.",
)
_AGAIN = "Make the zip again from plain files."
_LEADS_OUT = Says("unsafe_path", "error", "'{member}' has a path that leads out of the archive{more}.", _AGAIN)
_LINK = Says("symlink", "error", "'{member}' is a link to another file{more}.", _AGAIN)
_BIG_MEMORY = Says(  # up to 4 GB are set aside before the first byte, by what the file asks for
    "packed_by_lzma", "error", "'{member}' is packed by LZMA, which is not read{more}.", "Make the zip again as usual."
)
_TWICE = Says("same_name", "error", "'{member}' occurs more than once{more}.", _AGAIN)
_CASE_TWINS = Says(
    "case_twins", "error", "'{member}' differs from another name only in upper and lower case{more}.", _AGAIN
)


def member_names(path: Path, head: bytes) -> list[str]:
    """Name the members of a zip; none of any other file, or of a damaged zip, which the zip reader then says."""
    if not is_zip(head):
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (*ZIP_DAMAGE, OSError):
        return []


def checked_files(archive: zipfile.ZipFile, name: str) -> tuple[list[zipfile.ZipInfo], list[zipfile.ZipInfo]]:
    """Return the files of an archive, and apart from them what systems leave behind (`__MACOSX`, `.DS_Store`).

    Errors: DataError naming every unsafe member, or with code `too_many_members`, `zip_bomb` or `unpacks_too_large`.
    """
    infos = archive.infolist()
    if len(infos) > limits.ZIP_MEMBERS:
        raise DataError(
            "{name} holds {count:,} files; at most {limit:,} are read.",
            "Upload fewer files.",
            "too_many_members",
            name=name,
            count=len(infos),
            limit=limits.ZIP_MEMBERS,
        )
    files = [info for info in infos if not info.is_dir()]
    raise_problems(_unsafe(files))
    total = sum(info.file_size for info in files)
    bombs = [i for i in files if i.file_size > limits.ZIP_RATIO * max(i.compress_size, 1) and i.file_size > 2**20]
    if bombs:
        ratio = bombs[0].file_size // max(bombs[0].compress_size, 1)
        raise DataError(
            "'{member}' unpacks to {ratio:,} times its size; at most {limit} times is read.",
            "Upload the table itself.",
            "zip_bomb",
            member=shown_name(bombs[0].filename),
            ratio=ratio,
            limit=limits.ZIP_RATIO,
        )
    if total > limits.ZIP_TOTAL_BYTES:
        raise DataError(
            "{name} unpacks to {total:,} MB; at most {limit:,} MB are read.",
            "Take a sample of the rows.",
            "unpacks_too_large",
            name=name,
            total=total // 2**20,
            limit=limits.ZIP_TOTAL_BYTES // 2**20,
        )
    junk = [info for info in files if _JUNK.search(info.filename)]
    return [info for info in files if not _JUNK.search(info.filename)], junk


def _unsafe(files: list[zipfile.ZipInfo]) -> list[Problem]:
    """Name every member that is encrypted, a link, has a path out of the archive, or shares its name."""
    names = [i.orig_filename for i in files]
    times = Counter(names)
    folded = Counter(n.casefold() for n in times)
    found: list[tuple[Says, list[str]]] = [
        (_ENCRYPTED, [i.filename for i in files if i.flag_bits & 1]),
        (_LEADS_OUT, [n for n in names if _leads_out(n)]),
        (_LINK, [i.filename for i in files if stat.S_ISLNK(i.external_attr >> 16)]),
        (_BIG_MEMORY, [i.filename for i in files if i.compress_type == zipfile.ZIP_LZMA]),
        (_TWICE, [n for n, k in times.items() if k > 1]),
        (_CASE_TWINS, [n for n in times if folded[n.casefold()] > 1]),
    ]
    return [
        says.problem(
            count=len(members),
            member=members[0][:120],
            more=f" (and {len(members) - 1} more)" if len(members) > 1 else "",
            members=members[:100],
        )
        for says, members in found
        if members
    ]


def _leads_out(name: str) -> bool:
    slashed = name.replace("\\", "/")
    return (
        slashed.startswith("/")
        or "\x00" in name
        or bool(re.match(r"[A-Za-z]:", name))
        or ".." in PurePosixPath(slashed).parts
    )
