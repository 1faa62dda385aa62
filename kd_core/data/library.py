"""Uploaded files kept by content hash, and the dataset specs built on them."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from kd_core import limits
from kd_core.data.files.reading import too_large
from kd_core.errors import DataError, SpecError
from kd_core.safe_io import Damaged, inside, open_own, read_object, shown_name, write_json, write_text
from kd_core.specs import DatasetSpec
from kd_core.workspace import samples

UPLOADS = "uploads"  # folder of files that belong to a teacher, not to a dataset
_CHUNK = 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATASET_ID = re.compile(r"[0-9a-f]{12}")
SAMPLE_ENDINGS = (".csv.gz", ".csv", ".zip")
_SAMPLE = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class StoredFile:
    """A kept file. `name` is only for showing; the file lies under its hash."""

    sha256: str
    name: str
    size_bytes: int
    added_utc: str

    @property
    def source(self) -> str:
        """The name a DatasetSpec uses for it."""
        return f"sha256:{self.sha256}"


class DataLibrary:
    """Files in `<root>/data/<sha256>/` and dataset specs in `<root>/datasets/`; files of other use in another folder than `data`."""

    def __init__(self, root: Path, folder: str = "data") -> None:
        self.root = Path(root)
        self.data = self.root / folder
        self.datasets = self.root / "datasets"

    def add(self, stream: IO[bytes] | bytes, name: str) -> StoredFile:
        """Keep a file; the same bytes twice are kept once, under the newer name.

        Errors: DataError with code `file_too_large`, `empty_file` or `disk_full`.
        """
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(self.data).free
        if free < limits.MIN_FREE_DISK_BYTES:
            raise DataError(
                "Only {free:,} MB are free in the workspace; {needed:,} MB are needed.",
                "Delete old runs or files and try again.",
                "disk_full",
                free=free // 2**20,
                needed=limits.MIN_FREE_DISK_BYTES // 2**20,
            )
        shown = shown_name(name)
        temporary = self.data / f"incoming-{uuid.uuid4().hex}"
        digest, size = hashlib.sha256(), 0
        try:
            with temporary.open("xb") as out:
                for chunk in _pieces(stream):
                    size += len(chunk)
                    if size > limits.FILE_BYTES:
                        raise too_large(shown)
                    digest.update(chunk)
                    out.write(chunk)
            if size == 0:
                raise DataError("The file is empty (0 bytes).", "Choose another file.", "empty_file")
            sha256 = digest.hexdigest()
            folder = inside(self.data, sha256)
            folder.mkdir(exist_ok=True, mode=0o700)
            temporary.replace(folder / "original")
        finally:
            temporary.unlink(missing_ok=True)
        stored = StoredFile(sha256, shown, size, datetime.now(UTC).isoformat(timespec="microseconds"))
        write_json(folder / "meta.json", asdict(stored))
        return stored

    def files(self) -> list[StoredFile]:
        """List the kept files, newest first; `damaged` names those left out."""
        found = []
        for folder in self._kept():
            with contextlib.suppress(DataError):  # named by `damaged`
                found.append(self.get(folder.name))
        return sorted(found, key=lambda f: f.added_utc, reverse=True)

    def damaged(self) -> list[DataError]:
        """Name the kept files and datasets that can't be used, and why."""
        found = []
        for read, names in ((self.get, [p.name for p in self._kept()]), (self.spec, self._dataset_ids())):
            for name in names:
                try:
                    read(name)
                except DataError as error:
                    found.append(error)
        return found

    def _kept(self) -> list[Path]:
        return sorted(p for p in self.data.glob("*") if _SHA256.fullmatch(p.name))

    def get(self, sha256: str) -> StoredFile:
        """Return one kept file's facts. Errors: DataError with code `no_file` or `damaged_file`."""
        folder = self._folder(sha256)
        try:
            found = read_object(folder / "meta.json")
            stored = StoredFile(**found)
            texts = (stored.sha256, stored.name, stored.added_utc)
            if not all(isinstance(t, str) for t in texts) or not isinstance(stored.size_bytes, int):
                raise Damaged("holds values of a wrong kind")
            if stored.sha256 != sha256:
                raise Damaged("belongs to another file")
        except FileNotFoundError:
            raise _damaged(sha256, "is missing") from None
        except TypeError:
            raise _damaged(sha256, "lacks an entry, or has one too many") from None
        except Damaged as error:
            raise _damaged(sha256, str(error)) from None
        return stored

    def resolve(self, source: str) -> Path:
        """Find the file of 'sample:<name>', 'sha256:<hex>' or a path. Errors: DataError with code `no_file`."""
        kind, _, rest = source.partition(":")
        if kind == "sample":
            return _sample_path(rest)
        if kind == "sha256":
            return self._folder(rest) / "original"
        path = Path(source).expanduser()
        if "\x00" in source or not path.is_file():
            raise DataError("There is no file {path!r}.", "Check the path.", "no_file", path=source)
        return path

    def delete(self, sha256: str) -> None:
        """Remove a kept file. Errors: DataError with code `no_file`."""
        shutil.rmtree(self._folder(sha256))

    def save_spec(self, spec: DatasetSpec) -> str:
        """Keep a dataset spec and return its id (12 hex of its digest)."""
        dataset_id = spec.digest()[:12]
        write_text(self.datasets / f"{dataset_id}.json", spec.to_json())
        return dataset_id

    def spec(self, dataset_id: str) -> DatasetSpec:
        """Read a kept dataset spec. Errors: DataError with code `no_dataset` or `damaged_dataset`."""
        path = self.datasets / f"{dataset_id}.json"
        if not _DATASET_ID.fullmatch(dataset_id) or not (path.exists() or path.is_symlink()):
            raise DataError(
                "There is no dataset {id!r}.", "Open the Data page and choose a file.", "no_dataset", id=dataset_id
            )
        try:
            with open_own(path) as file:
                return DatasetSpec.from_json(file.read().decode("utf-8"))
        except (Damaged, UnicodeDecodeError, RecursionError, SpecError) as error:
            why = error.message if isinstance(error, SpecError) else "It is not text that can be read."
            raise DataError(
                "The dataset {id} is damaged: {why}",
                "Open the Data page and choose its file again.",
                "damaged_dataset",
                id=dataset_id,
                why=f"Its file {error}." if isinstance(error, Damaged) else why,
            ) from None

    def specs(self) -> list[tuple[str, DatasetSpec]]:
        """List the kept dataset specs, newest first; `damaged` names those left out."""
        found = []
        for dataset_id in self._dataset_ids():
            with contextlib.suppress(DataError):  # named by `damaged`
                found.append((dataset_id, self.spec(dataset_id)))
        return found

    def _dataset_ids(self) -> list[str]:
        paths = sorted(self.datasets.glob("*.json"), key=lambda p: p.lstat().st_mtime_ns, reverse=True)
        return [p.stem for p in paths if _DATASET_ID.fullmatch(p.stem)]

    def _folder(self, sha256: str) -> Path:
        """Return a kept file's folder. Errors: DataError `no_file`; `outside_workspace` for a link that leads out."""
        folder = self.data / sha256
        if _SHA256.fullmatch(sha256):
            inside(inside(self.data, sha256), "original")
        if not _SHA256.fullmatch(sha256) or not (folder / "original").is_file():
            raise DataError(
                "The file {sha256!r} is not in the workspace.", "Upload it again.", "no_file", sha256=sha256[:12]
            )
        return folder


def _damaged(sha256: str, why: str) -> DataError:
    return DataError(
        "The entry of the file {sha256} is damaged: meta.json {why}.",
        "Upload the file again.",
        "damaged_file",
        sha256=sha256[:12],
        why=why,
    )


def _pieces(stream: IO[bytes] | bytes) -> Iterator[bytes]:
    if isinstance(stream, bytes | bytearray | memoryview):
        yield bytes(stream)
        return
    while chunk := stream.read(_CHUNK):
        yield chunk


def _sample_path(name: str) -> Path:
    known = sorted({p.name.split(".")[0] for p in samples().iterdir() if p.name.endswith(SAMPLE_ENDINGS)})
    if _SAMPLE.fullmatch(name):
        for ending in SAMPLE_ENDINGS:
            path = samples() / f"{name}{ending}"
            if path.is_file():
                return path
    raise DataError(
        "There is no sample {name!r}.",
        "Known samples: {known}.",
        "no_file",
        name=name,
        known=", ".join(known) or "none",
    )
