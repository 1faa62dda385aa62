"""How large a student's file will be when its numbers are rounded, before any chain is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.raw_model import raw_model
from kd_core.models.base import ReadsFirst
from kd_core.runs import predictor
from kd_core.specs import Choice
from kd_core.teachers import kept_models

HARDLY = 1.05  # times smaller: less is not worth another model
EXAMPLES = 64  # rows that stand for training rows: how wide ranges are changes no byte
AS = {"qat": "int8"}  # what learns takes minutes, and writes the same kind of file


@dataclass(frozen=True)
class Rounded:
    """Bytes of the file that is deployed: as it is, and by the step that alone was carried out."""

    whole: int
    by: dict[str, int]

    def idle(self) -> dict[str, int]:
        """Return the steps that save nothing worth another model, with the bytes that they come to."""
        return {name: size for name, size in self.by.items() if HARDLY * size >= self.whole}


def foresee(run: Path, student: str) -> Rounded | None:
    """Round the student's own network in every way that suits it, on example rows; None where its rows were encoded before they came here.

    Errors: KDError as `predictor.load` and `kept_models.open_folder`.
    """
    kept = kept_models.open_folder(run, student)
    view, module = kept.open()
    purpose = predictor.load(run, student).purpose
    inputs: InputSpec = view.spec
    stage = Stage(Choice.model_validate(kept.model["arch"]), module)
    first: Any = view.first(module.reads()) if isinstance(module, ReadsFirst) else view

    def size(network: bytes) -> int:
        return len(raw_model(network, first, purpose))

    found: dict[str, int] = {}
    try:
        whole = size(onnx_bytes(module, inputs))
    except (KDError, NotImplementedError, ValueError):
        return None
    rounding = [e for e in STEPS.entries() if e.facts["changes"] == "file" and e.facts.get("saves", True)]
    for entry in rounding:
        if not entry.facts.get("learns") and entry.facts["suits"](stage, inputs) is None:
            try:
                made = entry.make(entry.spec.parse({}), stage, cast(Work, _Examples(inputs)))
                assert made.file is not None  # a step that changes the file leaves one
                found[entry.name] = size(made.file)
            except KDError:  # why not is told where the step is carried out
                continue
    found |= {name: found[other] for name, other in AS.items() if other in found}
    return Rounded(whole, found)


@dataclass(frozen=True)
class _Examples:
    """What steps that round ask of their work: rows to watch, here made ones."""

    inputs: InputSpec
    seed: int = 0

    def rows(self, stage: Stage) -> Any:
        """Return example rows in place of training rows."""
        return SimpleNamespace(spec=self.inputs, parts={"train": self.inputs.example(EXAMPLES)})
