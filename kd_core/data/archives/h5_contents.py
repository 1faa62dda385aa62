"""What lies in an HDF5 file, or in a zip that holds one: arrays and short texts, taken out in a limited child process (`sandbox.call`).

Nothing is followed that leads elsewhere (links, other files), and a size is checked before a byte of it is read: a file of a few
kilobytes can claim any.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kd_core.data.archives.contents import checked_files
from kd_core.errors import DataError
from kd_core.limits import FILE_BYTES

ARRAYS = 10_000  # in one file: hundreds of layers
TEXT_BYTES = 2**24  # of one attribute: the largest configs have a few megabytes
_DEEP = 16
_FILTERS = {"gzip", "lzf", None}  # the library's own; others are looked for as programs on the disk


def unpack(path: str, folder: str, skip: list[str], members: list[str]) -> dict[str, Any]:
    """Write each array to `<folder>/<number>.npy`; return {"arrays": {path: number}, "texts": {path: {attribute: value}}, "files": ...}.

    `skip`: names of groups at the top that are left out. Of a zip, `members` names the HDF5 file, then JSON files that go to "files".
    Errors: DataError `h5_damaged`, `h5_link`, `h5_large`, `h5_array`, `h5_text`, and those of a zip.
    """
    try:
        if zipfile.is_zipfile(path):
            return _of_zip(Path(path), Path(folder), skip, members)
        return {**_of_file(path, Path(folder), skip), "files": {}}
    except DataError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # the library raises OSError, KeyError, RuntimeError, ValueError, as the damage lies
        raise DataError(
            "This is no HDF5 file that can be read: {why}.",
            "It may be damaged or cut off. Save the model again.",
            "h5_damaged",
            why=(str(error).splitlines() or [type(error).__name__])[0][:200],
        ) from None


def _of_zip(path: Path, folder: Path, skip: list[str], members: list[str]) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        files = {info.filename: info for info in checked_files(archive, "The file")[0]}
        if large := [
            n for n in members if n in files and files[n].file_size > (FILE_BYTES if n == members[0] else TEXT_BYTES)
        ]:
            raise _large(large[0], files[large[0]].file_size)
        read = {name: archive.read(files[name]) for name in members if name in files}
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".h5") as inner:
        inner.write(read[members[0]])
        inner.flush()
        found = _of_file(inner.name, folder, skip)
    return {**found, "files": {name: json.loads(data) for name, data in read.items() if name != members[0]}}


def _of_file(path: str, folder: Path, skip: list[str]) -> dict[str, Any]:
    arrays: dict[str, int] = {}
    texts: dict[str, dict[str, Any]] = {}
    room, groups = FILE_BYTES, 0
    with h5py.File(path, "r") as file:
        waiting: list[tuple[str, Any]] = [("", file)]
        while waiting:
            place, group = waiting.pop()
            groups += 1
            if groups > ARRAYS:  # a group may hold itself, twice
                raise _odd(place, f"is one of more than {ARRAYS:,} groups")
            if told := _attributes(place, group):
                texts[place] = told
            inner: list[tuple[str, Any]] = []
            for name in group:
                own = f"{place}/{name}" if place else str(name)
                if not place and name in skip:
                    continue
                if type(group.get(name, getlink=True)) is not h5py.HardLink:
                    raise _link(own)
                held = group[name]
                if isinstance(held, h5py.Group):
                    if own.count("/") > _DEEP:
                        raise _odd(own, f"lies more than {_DEEP} groups deep")
                    inner.append((own, held))
                    continue
                size = _size_of(own, held)
                if size > room or len(arrays) >= ARRAYS:
                    raise _large(own, FILE_BYTES - room + size)
                room -= size
                np.save(folder / f"{len(arrays)}.npy", np.asarray(held[()]), allow_pickle=False)
                arrays[own] = len(arrays)
            waiting += reversed(inner)
    return {"arrays": arrays, "texts": texts}


def _size_of(place: str, held: Any) -> int:
    """Return the bytes that an array would take, from its head alone."""
    if not isinstance(held, h5py.Dataset):
        raise _odd(place, "is neither a group nor an array")
    if held.external or held.is_virtual:
        raise _link(place)
    if held.compression not in _FILTERS or held.dtype.kind not in "fiub" or held.dtype.hasobject or held.shape is None:
        raise _odd(place, f"is no plain array of numbers ({held.dtype}, packed: {held.compression or 'no'})")
    return prod(map(int, held.shape)) * int(held.dtype.itemsize)


def _attributes(place: str, group: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in group.attrs:
        size = h5py.h5a.get_info(group.id, name.encode()).data_size
        if size > TEXT_BYTES:
            raise DataError(
                "The attribute '{name}' of '{place}' has {size:,} bytes; at most {most:,} are read.",
                "Save the model again.",
                "h5_text",
                name=str(name)[:80],
                place=place[:200] or "/",
                size=size,
                most=TEXT_BYTES,
            )
        value = group.attrs[name]
        if isinstance(value, bytes | np.bytes_):
            found[str(name)] = value.decode("utf-8", "replace")
        elif isinstance(value, str):
            found[str(name)] = str(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "SUO" and value.ndim == 1:
            found[str(name)] = [
                v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in value.tolist()
            ]
    return found


def _link(place: str) -> DataError:
    return DataError(
        "'{place}' in the HDF5 file is a link, or lies in another file; such are not followed.",
        "Save the model again, as one file.",
        "h5_link",
        place=place[:200],
    )


def _large(place: str, size: int) -> DataError:
    return DataError(
        "The arrays of the file take {size:,} bytes or more, up to '{place}'; at most {most:,} are read.",
        "Use a smaller model, or save its answers as soft labels.",
        "h5_large",
        size=size,
        place=place[:200],
        most=FILE_BYTES,
    )


def _odd(place: str, what: str) -> DataError:
    return DataError(
        "'{place}' in the HDF5 file {what}.", "Save the model again.", "h5_array", place=place[:200], what=what
    )
