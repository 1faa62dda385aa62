"""Logits divided by one number, so that what the student says of itself comes true as often as it says."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.whole_numbers.network import answers_of
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.evaluate.calibration import fitted_temperature
from kd_core.evaluate.latency import onnx_bytes
from kd_core.specs import Spec
from kd_core.task import task_of

_BEFORE, _FACTOR = "kd_scaled", "kd_temperature"


def _suits(stage: Stage, inputs: InputSpec) -> str | None:
    return None


@STEPS.register(
    "scale_temperature",
    title="Scale the temperature",
    spec=Spec,
    source="Guo et al. 2017, arXiv:1706.04599",
    changes="file",
    saves=False,
    suits=_suits,
)
def scale_temperature(spec: Spec, stage: Stage, work: Work) -> Stage:
    """Divide the logits by the temperature that suits the validation rows best: no answer changes, only how sure they are.

    `told` holds the temperature. Errors: KDError `no_classes` where a number is predicted.
    """
    if not task_of(work.dataset.task).has_classes:
        raise KDError(
            "'{target}' is a number: a prediction without probabilities has no temperature.",
            "Leave the step scale_temperature out.",
            "no_classes",
            target=str(work.dataset.spec.target),
        )
    rows = work.rows(stage)
    network = stage.file or onnx_bytes(stage.module, rows.spec)
    temperature = fitted_temperature(answers_of(network, rows.parts["validation"]), work.dataset.validation.y)
    return stage.after("scale_temperature", file=scaled(network, temperature), temperature=temperature)


def scaled(network: bytes, temperature: float) -> bytes:
    """Return a network whose logits are divided by the temperature, under the name that they had. It may be scaled already."""
    model = onnx.load_from_string(network)
    graph, name = model.graph, model.graph.output[0].name
    taken = {one.name for one in graph.initializer} | {value for node in graph.node for value in node.output}
    before, factor = (
        next(n for n in (one, *_numbered(one, len(taken))) if n not in taken) for one in (_BEFORE, _FACTOR)
    )
    for node in graph.node:
        for places in (node.input, node.output):
            for at, one in enumerate(places):
                if one == name:
                    places[at] = before
    graph.initializer.append(numpy_helper.from_array(np.array(1 / temperature, np.float32), factor))
    graph.node.append(helper.make_node("Mul", [before, factor], [name]))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _numbered(name: str, most: int) -> list[str]:
    return [f"{name}_{number}" for number in range(1, most + 1)]
