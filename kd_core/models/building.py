"""From a choice by name to a network."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from kd_core.data.dataset import Dataset
from kd_core.data.input_spec import PIXELS, TABLE, TOGETHER, InputSpec
from kd_core.data.view import View, Viewed, choose_view, reading
from kd_core.errors import SpecError
from kd_core.models.base import ARCHS, Combines, Settles, Shortens
from kd_core.models.reshape.reshaping import reshaped
from kd_core.seeding import derive
from kd_core.specs import Choice
from kd_core.task import task_of

# why parts that read every number of an answer do not go with it
SHORT_FORM = "works with answers to all classes, and those to a catalogue are kept in a short form"
KEEPS = "keeps"  # attribute of a network: what is kept of its logits, where they are too many to be kept
ROWS_AT_ONCE = "rows_at_once"  # and how many rows it answers at once
LOGITS_AT_ONCE = 2**23  # of such a network: 32 MB, and as much again for what is made of them
_TURN = threading.Lock()  # torch draws start weights from its one global stream


def build(choice: Choice, inputs: InputSpec, num_outputs: int, task: str | None = None) -> nn.Module:
    """Build the chosen architecture; `start_weights` around it decides what they are at first.

    `task`: needed where an ensemble is to answer a task of several parts, or answers are kept in a short form.
    Shape: the module maps rows as `inputs` describes them to `Outputs` with logits (N, num_outputs).
    Errors: UnknownName, SpecError with code `bad_spec`, `no_columns` or `other_view`.
    """
    if inputs.width < 1 or num_outputs < 1:
        raise SpecError(
            "A network needs at least 1 input and 1 output, got {inputs} and {outputs}.",
            "Keep at least one feature column.",
            "no_columns",
            inputs=inputs.width,
            outputs=num_outputs,
        )
    entry = ARCHS.get(choice.name)
    spec = entry.spec.parse(choice.settings, f"architecture {choice.name}")
    choose_view(entry, (inputs.kind,))
    module = entry.make(spec, inputs, num_outputs)
    if task is not None and isinstance(module, Combines):
        module.combine(task_of(task).kinds(num_outputs))
    if task is not None and task_of(task).compact:
        setattr(module, KEEPS, task_of(task).kept)
        most = min(getattr(module, ROWS_AT_ONCE, LOGITS_AT_ONCE), max(1, LOGITS_AT_ONCE // num_outputs))
        setattr(module, ROWS_AT_ONCE, most)
    return module


@contextlib.contextmanager
def start_weights(seed: int) -> Iterator[None]:
    """Let networks that are built inside draw their weights from `seed` alone; threads wait for their turn."""
    with _TURN, torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "init"))
        yield


def view_of(choice: Choice, offered: Iterable[str]) -> str:
    """Choose the view that an architecture reads: the first of those it takes that is offered.

    Errors: UnknownName, SpecError with code `other_view`.
    """
    return choose_view(ARCHS.get(choice.name), offered)


def reading_of(choice: Choice, offered: Iterable[str]) -> str:
    """Name the way in which an architecture reads rows: its view, and how many bytes of names it holds. Errors: as `view_of`."""
    return reading(view_of(choice, offered), choice.settings.get("label_bytes"))


def reads_all(offered: Iterable[str]) -> bool:
    """Say whether rows hold pictures beside other columns, so that who reads the table or the pictures alone misses the rest."""
    return {PIXELS, TOGETHER} <= set(offered)


def usual_student(offered: Iterable[str]) -> Choice:
    """Name who learns where nobody was named: an MLP of the table; late fusion where pictures lie beside other columns; of pictures alone a CNN.

    Measured on product_category (12 epochs, 2 seeds, no teacher): test accuracy .65 by fusion, .31 from the table, .19 from the pictures.
    """
    kinds = set(offered)
    name = "fusion" if reads_all(kinds) else "mlp" if TABLE in kinds or PIXELS not in kinds else "cnn"
    return Choice(name=name, settings={"size": "small"})


def viewed(dataset: Dataset, choice: Choice) -> Viewed:
    """Read a dataset's rows as an architecture takes them. Errors: UnknownName, SpecError `other_view`."""
    return dataset.view(reading_of(choice, dataset.views.kinds))


def build_for(dataset: Dataset, choice: Choice) -> nn.Module:
    """Build an architecture for a dataset's rows and outputs. Errors: as `build`."""
    return build(choice, viewed(dataset, choice).spec, dataset.num_outputs, dataset.task)


def reopened(
    kept: Mapping[str, Any], learned: Mapping[str, bytes], weights: bytes, task: str, num_outputs: int
) -> tuple[View, nn.Module]:
    """Make a model again of what a run kept: its view and its network, in evaluation mode.

    `kept`: its entry in model.json, with `kind` of view and `arch`; `learned`: the view's files by name; `weights`: a safetensors file.
    A network that was cut has the shapes of its weights. Errors: KeyError, ValueError, RuntimeError, SafetensorError where these don't
    fit together; as `build` and `reshaped`.
    """
    import safetensors.torch

    from kd_core.data.views import VIEWS  # brings scikit-learn along

    view = VIEWS.get(kept["kind"]).make.from_state(learned)
    module = build(Choice.model_validate(kept["arch"]), view.spec, num_outputs, task)
    return view, reshaped(module, safetensors.torch.load(weights)).eval()


def cpu_state(module: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as they are written to a file: on the CPU, without gaps."""
    return {name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()}


def deployed_state(dataset: Dataset, choice: Choice, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round learned weights to what half the bytes can hold, so that a file of float16 numbers answers as the student does.

    A network that has a shorter form takes it before; one that `Shortens` rounds itself. A weight beyond float16 leaves its tensor as
    it is; so is what a network was given and did not learn (edges).
    """
    with start_weights(0):  # other networks may be drawing theirs at this moment, from the one global stream
        module = build_for(dataset, choice)
    if isinstance(module, Shortens) and state:
        reshaped(module, state)
        module.shorten(viewed(dataset, choice).parts["train"])
        return cpu_state(module)
    if isinstance(module, Settles) and state:
        reshaped(module, state)
        module.settle()
        state = cpu_state(module)
    learned = {name for name, _ in (reshaped(module, state) if state else module).named_parameters()}
    rounded = {name: t.half().to(t.dtype) for name, t in state.items() if name in learned}
    return {
        name: rounded[name] if name in rounded and rounded[name].isfinite().all() else t for name, t in state.items()
    }
