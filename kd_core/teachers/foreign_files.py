"""Files of models that a teacher can't take: what they are, told by their first bytes, and the lines that convert them where they came from.

Nothing here opens a file for use: a few bytes and the names in a zip are looked at, no more. Sources name the kinds that they take in
their fact `opens`.
"""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.errors import DataError, KDError
from kd_core.teachers.base import SOURCES
from kd_core.workspace import workspace

ENDINGS = (".pt", ".pth", ".pkl", ".pickle", ".joblib")  # a form takes them too, to say how they are converted
_HEAD = 4096
_LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_OLD_PICKLES = (
    b"ccopy_reg\n",
    b"ccopyreg\n",
    b"c__main__\n",
    b"csklearn",
    b"cnumpy",
    b"cjoblib",
    b"cxgboost",
    b"clightgbm",
)
_UNPACK: dict[bytes, Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor | zlib._Decompress]] = {
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
    b"]\x00\x00": lzma.LZMADecompressor,
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"x\x01": zlib.decompressobj,
    b"x^": zlib.decompressobj,
    b"x\x9c": zlib.decompressobj,
    b"x\xda": zlib.decompressobj,
}


@dataclass(frozen=True)
class Foreign:
    """A kind of file: what it is in words, and Python for where it came from, `FILE` in the place of its name."""

    noun: str
    lines: str = ""


_TO_ONNX = (
    "torch.onnx.export(model, torch.zeros(1, COLUMNS), 'teacher.onnx', input_names=['x'], output_names=['logits'], "
    "dynamic_axes={'x': {0: 'rows'}, 'logits': {0: 'rows'}}, dynamo=False)"
)
_FROM_KERAS = (  # a model that was only loaded is exported once it has been called
    "import keras; model = keras.saving.load_model(FILE); "
    "model(keras.ops.zeros([n or 1 for n in model.input_shape], model.inputs[0].dtype)); model.export('teacher.onnx', format='onnx')"
)
_SKOPS = "import skops.io; skops.io.dump(model, 'teacher.skops')"
_BOOSTED = "of LightGBM model.booster_.save_model('teacher.txt'), of XGBoost model.save_model('teacher.json')"
KINDS: dict[str, Foreign] = {
    "torch": Foreign(
        "a PyTorch file (.pt, .pth), which is a pickle and can run code when it is opened",
        f"import torch; model = torch.load(FILE, weights_only=False).eval(); {_TO_ONNX}   or, of weights alone:   "
        "import torch; from safetensors.torch import save_file; save_file(torch.load(FILE, weights_only=True), 'teacher.safetensors')",
    ),
    "torchscript": Foreign(
        "a TorchScript file (.pt), which is a program", f"import torch; model = torch.jit.load(FILE).eval(); {_TO_ONNX}"
    ),
    "pickle": Foreign(
        "a pickle (.pkl, .joblib), which can run code when it is opened",
        f"import pickle; model = pickle.load(open(FILE, 'rb')); {_SKOPS}   ({_BOOSTED})",
    ),
    "joblib": Foreign(
        "a joblib file, which is a pickle and can run code when it is opened",
        f"import joblib; model = joblib.load(FILE); {_SKOPS}   ({_BOOSTED})",
    ),
    "keras": Foreign("a Keras file (.h5)", _FROM_KERAS),
    "keras_zip": Foreign("a Keras file (.keras)", _FROM_KERAS),
    "skops": Foreign("a skops file"),
    "safetensors": Foreign("a safetensors file"),
    "lightgbm": Foreign("a LightGBM text file"),
    "xgboost": Foreign("an XGBoost file"),
    "onnx": Foreign("an ONNX file"),
}


def lines_for(kind: str, name: str) -> str:
    """Return the Python that converts a file of a kind where it came from, with its name in it."""
    return KINDS[kind].lines.replace("FILE", repr(name))


def kind_of(path: Path, name: str = "") -> str | None:
    """Tell what a file is by its first bytes and the names in a zip; None for what is not in the table. `name` tells joblib from pickle."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if (
        head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8
    ):  # before pickles: a head may be 640 bytes long
        return "safetensors"
    if head.startswith(_LEGACY_TORCH):
        return "torch"
    if _is_pickle(head):
        return "joblib" if name.endswith(".joblib") else "pickle"
    if _is_pickle(_unpacked(head)) or head.startswith(b"\x04\x22\x4d\x18"):  # lz4, which only joblib writes
        return "joblib"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras"
    if head.startswith((b"tree\n", b"tree\r\n")):
        return "lightgbm"
    if head.lstrip().startswith(b"{") and b"learner" in head:
        return "xgboost"
    if head[:1] == b"\x08" and head[1:2] < b"\x20" and head[2:3] in (b"\x12", b"\x3a", b"\x42", b"\x1a"):
        return "onnx"
    return None


def check(source: str, takes: Collection[str]) -> Path:
    """Find an uploaded file and refuse one that is known to be of another kind; return its path.

    Errors: DataError `no_file`, `foreign_file` with the lines that convert it, or the teacher that opens it.
    """
    library = DataLibrary(workspace(), UPLOADS)
    path, name = library.resolve(source), name_of(library, source)
    kind = kind_of(path, name)
    if kind is None or kind in takes:
        return path
    raise DataError(
        "{name} is {noun}; this teacher does not open it.",
        "{advice}",
        "foreign_file",
        name=name,
        noun=KINDS[kind].noun,
        advice=_advice(kind, name),
    )


def why_not(source: str, takes: Collection[str]) -> KDError | None:
    """Return what `check` raises, or None: for the fact `refuses`; a file that is not chosen yet is nobody's fault."""
    try:
        if source:
            check(source, takes)
    except KDError as error:
        return error
    return None


def _advice(kind: str, name: str) -> str:
    opening = [entry.title for entry in SOURCES.entries() if kind in entry.facts.get("opens", ())]
    if opening:
        return f"Take the teacher {' or '.join(opening)}."
    return f"It is never opened here. Convert it where it came from: {lines_for(kind, name)}"


def name_of(library: DataLibrary, source: str) -> str:
    """Return the name of an uploaded file, for messages and lines."""
    try:
        return library.get(source.partition(":")[2]).name
    except DataError:  # a path on the command line, or an entry without its name
        return Path(source).name[:80] if "/" in source else "FILE"


def _kind_of_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if {"config.json", "model.weights.h5"} <= names:
        return "keras_zip"
    last = {name.rpartition("/")[2] for name in names}
    if "data.pkl" in last:
        return "torchscript" if any("/code/" in name for name in names) else "torch"
    return "skops" if "schema.json" in names else None


def _is_pickle(head: bytes) -> bool:
    return (head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or head.startswith(_OLD_PICKLES)


def _unpacked(head: bytes) -> bytes:
    """Unpack the first bytes of a compressed file; nothing where it is none."""
    for start, make in _UNPACK.items():
        if head.startswith(start):
            try:
                return make().decompress(head, 16)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                return b""
    return b""
