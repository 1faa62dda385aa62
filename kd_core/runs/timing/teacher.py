"""The teacher of a run opened to be timed: one that is at hand, a network of its shape, or the same one trained again."""

from __future__ import annotations

from urllib.parse import urlsplit

import safetensors.torch
import torch

from kd_core.data.dataset import Dataset
from kd_core.data.view import Viewed
from kd_core.distill import objective
from kd_core.errors import DataError, KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.raw_model import raw_model
from kd_core.models.building import build, cpu_state, start_weights
from kd_core.models.sizes import counted
from kd_core.runs.continuing.run_data import RunData
from kd_core.runs.deployment import purpose_of
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.kept_rows import answers_of, frame_of
from kd_core.runs.timing.listed import Listed
from kd_core.runs.timing.models import Timed, as_given
from kd_core.runs.timing.network import Network
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.base import SOURCES, Notify, ShouldStop, network_of, teacher_view
from kd_core.teachers.fitting import Fitted
from kd_core.teachers.live import again as trained
from kd_core.teachers.live import opening
from kd_core.teachers.live.again import Again

OWN = "own"  # runtime of what only its own library can answer
_SHAPE = (
    "The run kept the teacher's answers, not its weights; timed is a network of the same shape with other weights, "
    "which takes as long."
)
_AGAIN = "The teacher was trained again for this, on the same rows with the same seed."
_OTHERS = "it is no network: ONNX Runtime and torch have no form of it"


def open_teacher(folder: RunFolder, one: Listed, again: bool, notify: Notify, should_stop: ShouldStop) -> Timed:
    """Open a run's teacher. Errors: KDError `latency_teacher`, in words, where it can't be timed; Stopped."""
    result, spec = folder.result() or {}, folder.spec()
    if away := opening.sends(spec.teacher):
        hosts = ", ".join(urlsplit(str(t.settings.get("url", ""))).hostname or t.name for t in away)
        raise _not(f"another machine answers for it ({hosts}), and its time would be the connection's")
    data = RunData(folder)
    dataset = _rows(data)
    size = {name: result["teacher"].get(name) for name in ("parameters", "nonzero", "flops")}
    size["bytes"] = result["teacher"].get("size_bytes")
    found = Timed(one, [], frame_of(folder), purpose_of(dataset), size=size)
    source = SOURCES.get(spec.teacher.name)
    if opening.why_not(spec.teacher) is None:
        live = opening.opened(dataset, spec.teacher)
        found.own, found.by_frame = live.ask, True
        found.lacks = dict.fromkeys(("onnxruntime", "torch", "compile"), "it is asked as the run asked it")
        return found
    if again and trained.why_not(spec.teacher) is None:
        return _again(found, trained_once_more(data, found, notify, should_stop), dataset, spec)
    if not isinstance(source.make, Fitted) or "arch" not in source.facts:
        more = "" if again else "; it can be trained again for this, if you ask for it"
        raise _not(f"only its answers to the rows of the data were kept{more}")
    viewed = dataset.view(teacher_view(spec.teacher, dataset.views.kinds) or "")
    arch = network_of(spec.teacher)
    with start_weights(spec.training.first_seed):
        module = build(arch, viewed.spec, dataset.num_outputs, dataset.task).eval()
    found.notes.append(_SHAPE)
    return _network(found, arch, module, viewed)


def _not(reason: str) -> KDError:
    return KDError(
        "The teacher can't be timed here: {reason}.",
        "What the run measured of it stands beside the others.",
        "latency_teacher",
        reason=reason,
    )


def _rows(data: RunData) -> Dataset:
    """Read the rows that the teacher learned from: its view is learned from them."""
    try:
        return data.taught
    except DataError as error:
        if error.code == "rows_other":
            raise _not("the run's rows are read otherwise now than when it was made") from None
        raise _not(f"the run's rows are not at hand ({error.message.rstrip('.')})") from None


def _network(found: Timed, arch: Choice, module: torch.nn.Module, viewed: Viewed) -> Timed:
    """Fill in a teacher that is a network: on torch, and as a file of its own."""
    assert viewed.view is not None
    found.net = Network(viewed.view, module, found.purpose)
    weights = safetensors.torch.save(cpu_state(module))
    entry = {"arch": arch.model_dump(mode="json"), "kind": viewed.spec.kind}
    found.parts = {"entry": entry, "view": viewed.view.state(), "weights": weights}
    found.rows = as_given(found.frame, viewed.view.types)
    counts = counted(module, arch.name, viewed.spec).told()
    found.size |= {name: counts[name] for name in ("parameters", "flops")}
    try:
        found.network = onnx_bytes(module, viewed.spec)
        found.file = raw_model(found.network, viewed.view, found.purpose)  # as a student is deployed
    except KDError as error:
        found.lacks["onnxruntime"] = error.message.rstrip(". ")
    return found


def trained_once_more(data: RunData, found: Timed, notify: Notify, should_stop: ShouldStop) -> Again:
    """Train the teacher of a run again, and see that it answers as it did. Errors: as `trained_again`."""
    return trained.trained_again(
        data.taught,
        data.spec.teacher,
        data.spec.training.first_seed,
        found.frame,
        answers_of(data.folder).get("teacher"),
        class_weights=objective.weights_for(data.dataset, data.spec.training),
        notify=notify,
        should_stop=should_stop,
    )


def _again(found: Timed, again: Again, dataset: Dataset, spec: RunSpec) -> Timed:
    """Time a teacher that was trained once more: one that is a network as networks are, any other by its own library."""
    found.notes.append(_AGAIN)
    fitted, view = again.fitted, again.view
    module = fitted.module()
    if module is not None and "arch" in SOURCES.get(spec.teacher.name).facts:
        return _network(found, network_of(spec.teacher), module.cpu().eval(), dataset.view(again.kind))
    found.rows = as_given(found.frame, view.types)
    found.lacks = dict.fromkeys(("onnxruntime", "torch", "compile"), _OTHERS)
    found.own_read, found.read = fitted.logits, view.read(found.rows)[0]
    found.own = lambda rows: fitted.logits(view.read(rows)[0])
    return found
