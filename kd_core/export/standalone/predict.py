"""Answers rows by the student in this folder, once every file of it is known to be as it was handed out.

python predict.py rows.csv       one line of answers per row, as JSON; a cell of pictures names a file beside the table
python predict.py picture.png    one line, where the student reads a picture and nothing else
python predict.py --check        checks every file, and the answers to the sample

from predict import load
load().predict([{"column": "value", ...}])  # a picture's value is its file's content: open("picture.png", "rb").read()
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SCHEMA = 1
BAD_INPUT, DAMAGED, OTHERWISE, UNREAD = 2, 3, 4, 141  # exit codes; the last as of any tool whose reader is gone


class Damaged(RuntimeError):
    """A file that is not as it was handed out."""


def load() -> Any:
    """Open the student. Errors: Damaged where a file is missing or has changed."""
    whole()
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    from kd_core.export.standalone.student import Student

    columns = HERE / "columns.json"  # another form than the bundle may have none: then no value is called unseen
    told = json.loads(columns.read_text("utf-8")) if columns.exists() else {}
    return Student(HERE / "model.onnx", told.get("known", {}))


def whole() -> dict[str, Any]:
    """Check every file by its hash and return the manifest. Errors: Damaged."""
    try:
        manifest: dict[str, Any] = json.loads((HERE / "manifest.json").read_text("utf-8"))
        files, schema = dict(manifest["files"]), manifest["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"manifest.json can't be read: {error}") from None
    if schema != SCHEMA:
        raise Damaged(f"this folder is of version {schema}, and this program reads version {SCHEMA}: export it again")
    told = {key: value for key, value in manifest.items() if key != "self"}
    if _sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()) != manifest.get("self"):
        raise Damaged("manifest.json is not as it was written")
    for name, digest in files.items():
        try:
            data = (HERE / name).read_bytes()
        except OSError:
            raise Damaged(f"{name} is missing") from None
        if _sha256(data) != digest:
            raise Damaged(f"{name} is not the file that was handed out")
    return manifest


def check() -> str:
    """Check every file, and that the sample is answered as the app answered it; say so. Errors: Damaged, AssertionError."""
    import numpy as np

    student, manifest = load(), whole()
    expected = json.loads((HERE / "expected.json").read_text("utf-8"))
    found, _ = student.answers(_rows(student, HERE / "sample.csv"))
    apart = float((np.abs(found - np.array(expected["answers"])) / student.spread).max())
    if not apart <= expected["limit"]:
        raise AssertionError(
            f"the sample is answered otherwise than expected: {apart:.2g} apart, {expected['limit']:.0e} is allowed"
        )
    proof = manifest.get("parity") or {}
    return (
        f"{len(manifest['files'])} files are as they were handed out. {len(found)} sample rows are answered as expected: at most "
        f"{apart:.1e} apart, {expected['limit']:.0e} is allowed. Before it was handed out {proof.get('rows', 0):,} rows were compared."
    )


def _rows(student: Any, path: Path) -> Any:
    from kd_core.export.standalone.table_file import rows_of

    return rows_of(path, student.layout, student.pictures, student.columns)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main(arguments: list[str]) -> int:
    """Carry out what was asked on the command line; return the exit code."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else BAD_INPUT
    sys.path.insert(0, str(HERE))
    try:
        if arguments == ["--check"]:
            print(check())
            return 0
        student = load()
        found, said = student.answers(_rows(student, Path(arguments[0])))
    except Damaged as error:
        print(f"refused: {error}.", file=sys.stderr)
        return DAMAGED
    except AssertionError as error:
        print(f"refused: {error}.", file=sys.stderr)
        return OTHERWISE
    except ModuleNotFoundError as error:
        print(
            f"error: {error.name} is not installed here. Install what is needed: pip install -r requirements.txt",
            file=sys.stderr,
        )
        return BAD_INPUT
    except (OSError, ValueError) as error:  # UnfitRows is one
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    for one in said:
        print(f"note: {one}", file=sys.stderr)
    for row in found.tolist():
        print(json.dumps(student.named(row), ensure_ascii=False))
    return 0


def _told(arguments: list[str]) -> int:
    """Do the same, and end quietly where nobody reads on: `predict.py rows.csv | head`."""
    try:
        code = main(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left as it ends
        return UNREAD
    return code


if __name__ == "__main__":
    sys.exit(_told(sys.argv[1:]))
