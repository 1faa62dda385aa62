"""From a choice by name to a network."""

from __future__ import annotations

from torch import Tensor, nn

from kd_core.errors import SpecError
from kd_core.models.base import ARCHS
from kd_core.specs import Choice


def build(choice: Choice, num_inputs: int, num_outputs: int) -> nn.Module:
    """Build the chosen architecture; the caller's `torch.manual_seed` decides the start weights.

    Shape: the module maps x (N, num_inputs) float32 to `Outputs` with logits (N, num_outputs).
    Errors: UnknownName, SpecError with code `bad_spec` or `no_columns`.
    """
    if num_inputs < 1 or num_outputs < 1:
        raise SpecError(
            "A network needs at least 1 input and 1 output, got {inputs} and {outputs}.",
            "Keep at least one feature column.",
            "no_columns",
            inputs=num_inputs,
            outputs=num_outputs,
        )
    entry = ARCHS.get(choice.name)
    spec = entry.spec.parse(choice.settings, f"architecture {choice.name}")
    return entry.make(spec, num_inputs, num_outputs)


def cpu_state(module: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as they are written to a file: on the CPU, without gaps."""
    return {name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()}
