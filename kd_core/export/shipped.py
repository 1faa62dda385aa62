"""The program that leaves with a student: modules of this project as they are, their imports made those of a small package.

What is shipped is what runs here and is tested here; there is no second copy to keep.
"""

from __future__ import annotations

import re
from pathlib import Path

import kd_core

PACKAGE = "kd_student"
ENTRY = "export/standalone/predict.py"
SHIPPED = (
    "limits.py",
    "data/input_spec.py",
    "data/encoding/saved.py",
    "data/types/cells.py",
    *(
        f"data/plain/{n}.py"
        for n in ("cell", "counted", "number_text", "picture", "rows", "table_row", "time_text", "topics")
    ),
    "data/plain/history.py",
    "data/plain/questions.py",
    "data/plain/weighted_pieces.py",
    *(f"export/standalone/{n}.py" for n in ("student", "table_file", "unseen", "views")),
)
_HERE = Path(kd_core.__file__).parent
_MODULES = {name.removesuffix(".py").replace("/", "."): Path(name).stem for name in SHIPPED}
_FROM = re.compile(r"^( *)from kd_core\.([\w.]+) import ", re.MULTILINE)


def program() -> dict[str, str]:
    """Return the files of the program by name. Errors: ValueError where a module asks for one that is not shipped."""
    found = {f"{PACKAGE}/{Path(name).name}": _moved(name, ".") for name in SHIPPED}
    found["predict.py"] = _moved(ENTRY, f"{PACKAGE}.")
    found[f"{PACKAGE}/__init__.py"] = (
        '"""What reads raw rows and asks the student: modules of KD Workbench, as they are."""\n'
    )
    return found


def _moved(name: str, package: str) -> str:
    text = (_HERE / name).read_text("utf-8")

    def own(match: re.Match[str]) -> str:
        if match[2] not in _MODULES:
            raise ValueError(f"{name} imports kd_core.{match[2]}, which is not shipped")
        return f"{match[1]}from {package}{_MODULES[match[2]]} import "

    return _FROM.sub(own, text)
