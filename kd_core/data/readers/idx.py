"""A zip of IDX files, as MNIST and its kin are published: pictures and labels, each packed by gzip or not."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from kd_core import limits
from kd_core.data.archives.contents import checked_files, member_names
from kd_core.data.files.damage import damage_named
from kd_core.data.files.signatures import GZIP
from kd_core.data.pictures.arrays import CLASS, Array, Labelled, table_of
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.part_column import PART, are_parts
from kd_core.errors import DataError
from kd_core.safe_io import shown_name
from kd_core.specs import ReadSpec

_NAME = re.compile(r"(?:^|/)(?P<part>[^/]+?)[-_.](?P<what>images|labels)[-_.]idx\d[-_.]ubyte(?:\.gz)?$", re.IGNORECASE)
_PARTS = {"t10k": "test"}  # the name of MNIST's ten thousand test pictures


def _sets(names: list[str]) -> dict[str, dict[str, str]]:
    """Name the files of pictures and labels by set."""
    found: dict[str, dict[str, str]] = {}
    for member in names:
        if match := _NAME.search(member.replace("\\", "/")):
            part = match["part"].casefold()
            found.setdefault(_PARTS.get(part, part), {})[match["what"].casefold()] = member
    return found


def _is_idx(path: Path, head: bytes) -> bool:
    return bool(_sets(member_names(path, head)))


def _part_in(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        return PART if are_parts(list(_sets(archive.namelist()))) else None


@READERS.register(
    "idx",
    title="Zip of IDX files",
    extensions=(".zip",),
    recognises=_is_idx,
    noun="a zip of IDX files",
    starts="PK",
    target=CLASS,
    part=_part_in,
)
def read_idx(path: Path, read: ReadSpec, name: str) -> Table:
    """Read pictures and labels; sets named train and test (t10k) make a column `split_part`.

    Source: the IDX format of http://yann.lecun.com/exdb/mnist.
    Errors: DataError `idx_pair`, `idx_damaged`, those of `table_of`, an unsafe member's code or a limit's.
    """
    found = {}
    with damage_named(name), zipfile.ZipFile(path) as archive:
        checked_files(archive, name)
        for part, files in sorted(_sets(archive.namelist()).items()):
            if len(files) < 2:
                (only,) = files.values()
                raise DataError(
                    "{name} holds '{member}' without its {lacks}.",
                    "Pack pictures and labels together: train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.",
                    "idx_pair",
                    name=name,
                    member=shown_name(only),
                    lacks="labels" if "images" in files else "pictures",
                )
            images, labels = (_array(archive.read(files[what]), files[what]) for what in ("images", "labels"))
            found[part] = Labelled(images, labels)
    return table_of(found, name, read.picture_side, path, "idx")


def _array(data: bytes, member: str) -> Array:
    """Read one IDX file of bytes; its head says how many there are, and that many there must be."""
    if data.startswith(GZIP):
        data = _unpacked(data, member)
    dimensions = data[3] if len(data) > 3 else 0
    if data[:3] != b"\0\0\x08" or not 1 <= dimensions <= 4 or len(data) < 4 + 4 * dimensions:
        raise _damaged(member, "its head is not that of an IDX file of bytes")
    shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    wanted, held = int(np.prod(shape, dtype=object)), len(data) - 4 - 4 * dimensions
    if wanted != held:
        raise _damaged(member, f"its head names {wanted:,} bytes, it holds {held:,}")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _unpacked(data: bytes, member: str) -> bytes:
    most = min(limits.ZIP_TOTAL_BYTES, limits.ZIP_RATIO * max(len(data), 2**20))
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise _damaged(member, str(error)) from None
    if len(found) > most or not unpacker.eof:
        raise _damaged(
            member, f"it unpacks to more than {most // 2**20:,} MB" if len(found) > most else "it ends early"
        )
    return found


def _damaged(member: str, why: str) -> DataError:
    return DataError(
        "'{member}' can't be read: {why}.", "Download it again.", "idx_damaged", member=shown_name(member), why=why
    )
