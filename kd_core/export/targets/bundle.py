"""The bundle: model, program, card, sample and proof in one zip that needs numpy and ONNX Runtime alone."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kd_core.export.bundle_file import MODEL
from kd_core.export.card_text import card_text, readme_text
from kd_core.export.known_labels import known_labels
from kd_core.export.parity import LIMIT, clean_python
from kd_core.export.raw_model import CARRYING
from kd_core.export.shipped import program
from kd_core.export.standalone.views import NEEDS
from kd_core.export.target import TARGETS, Row, Taken
from kd_core.machine.packages import version

SAMPLE = "sample.csv"
_READS = (
    "tokens",
    "ngrams",
    "pixels",
    "sequence",
    "together",
)  # views that the program reads rows by, where the graph does not
_ASK = (
    "import json; folder, rows = sys.argv[1:]; sys.path.insert(0, folder); import predict; from pathlib import Path; "
    "student = predict.load(); found, _ = student.answers(predict._rows(student, Path(rows))); print(json.dumps({'answers': found.tolist()}))"
)


def _suits(taken: Taken) -> str | None:
    view = taken.facts.get("view", {}).get("kind")
    return None if view in (None, *_READS) else f"its rows are read as '{view}', which needs this project"


def _asked(folder: Path, rows: Path) -> list[str]:
    return clean_python(_ASK, str(folder), str(rows))


@TARGETS.register(
    "bundle",
    title="A bundle: model, program, card, sample and proof",
    runs_with=lambda taken: (
        f"Python with {', '.join(one.partition('==')[0] for one in requirements(taken.facts))}, which requirements.txt names"
    ),
    suits=_suits,
    asked=_asked,
    carries="the program that reads rows and asks the model, the weights once more, sample rows and the proof",
    usage=(
        "unzip FILE -d model && cd model",
        "python -m pip install -r requirements.txt",
        "python predict.py sample.csv",
    ),
)
def bundle(taken: Taken, folder: Path) -> None:
    """Write the files of a bundle."""
    (folder / MODEL).write_bytes(taken.model)
    (folder / "model.safetensors").write_bytes(taken.weights)
    for name, text in program().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    facts = taken.facts
    named = {key: facts[key] for key in ("task", "target", "classes", "answers") if key in facts}
    _json(folder / "labels.json", {**named, "mean": facts["mean"], "std": facts["std"]})
    known = known_labels(taken.model, facts)
    _json(folder / "columns.json", {"columns": facts["columns"], "file": facts["read"], "known": known})
    for name, data in _encoders(facts).items():
        (folder / name).write_bytes(data)
    needs = requirements(facts)
    (folder / "requirements.txt").write_text("\n".join(needs) + "\n", "utf-8")
    write_sample(taken.sample, folder, facts["read"])
    _json(folder / "expected.json", {"limit": LIMIT, "rows": SAMPLE, "answers": taken.answers})
    (folder / "README.md").write_text(readme_text(taken.card, SAMPLE), "utf-8")
    (folder / "CARD.md").write_text(card_text(taken.card, needs), "utf-8")


def requirements(facts: Mapping[str, Any]) -> list[str]:
    """Name the packages that a student needs, with their exact versions."""
    kind = facts["view"]["kind"] if facts["schema"] == CARRYING else ""
    more: Iterable[str] = NEEDS.get(kind, ())
    if kind == "together" and not any(c.get("kind") == "picture" for c in facts["columns"].values()):
        more = ()
    return [f"{name}=={version(name)}" for name in ("numpy", "onnxruntime", *more)]


def write_sample(rows: Iterable[Row], folder: Path, layout: Mapping[str, Any]) -> None:
    """Write rows as the CSV that the program reads, pictures as files that it names."""
    file, rows = io.StringIO(newline=""), list(rows)
    writer = csv.writer(file, delimiter=layout.get("separator") or ",", lineterminator="\n")
    if layout.get("header") != "no":
        writer.writerow(rows[0] if rows else ())
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(cell, folder, f"sample/{number:02}_{at}.png") for at, cell in enumerate(row.values())])
    (folder / SAMPLE).write_bytes(file.getvalue().encode(layout.get("encoding") or "utf-8", "replace"))


def _cell(cell: Any, folder: Path, name: str) -> Any:
    if not isinstance(cell, bytes):
        return "" if cell is None else cell
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(cell)
    return name


def _encoders(facts: Mapping[str, Any]) -> dict[str, bytes]:
    """Unpack what the student's file holds of its encoder, for who reads it by other programs."""
    if facts["schema"] != CARRYING:
        return {f"encoder_{name}": base64.b64decode(text) for name, text in facts["texts"].items()}
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(facts["view"]["zip"]))) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    return {name if name == "tokenizer.json" else f"encoder_{name}": data for name, data in held.items()}


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
