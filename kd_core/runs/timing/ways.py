"""Ways to run a model: which runtime, on how many threads, where; and the call that is timed."""

from __future__ import annotations

import contextlib
import copy
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from kd_core.data.onnx_file import RUNTIME_ERRORS, open_session
from kd_core.errors import KDError
from kd_core.export.raw_session import RawStudent
from kd_core.machine import device as devices
from kd_core.machine.rounds import Turn
from kd_core.runs.timing.asked import Form
from kd_core.runs.timing.models import Timed
from kd_core.runs.timing.network import Logit
from kd_core.runs.timing.teacher import OWN

ALONE = 16  # rows that come one by one take turns, so that no answer is about the same row again
OTHERS = 2  # batches of many rows that take turns
PROVIDERS = {"cpu": ("CPUExecutionProvider",), "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider")}
COMPILED_SHAPES = 64  # one program for each number of rows; torch's own limit is 8


@dataclass(frozen=True)
class Way:
    """How a model is run. `runtime`: onnxruntime, torch, compile, or `own` for a teacher that its own library answers for."""

    runtime: str
    threads: int = 1
    device: str = "cpu"

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass
class Ready:
    """A model in one way and form. `seconds` that it took to make it ready, as a program pays when it starts."""

    predict: Callable[[Any], Any]
    batch: Callable[[int], Sequence[Any]]
    within: Callable[[], AbstractContextManager[Any]]
    seconds: float

    def turn(self, rows: int) -> Turn:
        """Answer so many rows once, and return the turn. Errors: KDError `latency_way` where that fails, in words."""
        batches = self.batch(rows)
        before = time.perf_counter()
        try:
            with self.within(), torch._dynamo.config.patch(recompile_limit=COMPILED_SHAPES), warnings.catch_warnings():
                # said by the compiler of a GPU that could round products: what is timed answers as the app does
                warnings.filterwarnings("ignore", message="TensorFloat32 tensor cores")
                self.predict(batches[0])
        except Exception as error:
            raise _not(_first_line(error)) from None
        self.seconds += time.perf_counter() - before
        return Turn(self.predict, batches, self.within)


def _first_line(error: Exception) -> str:
    if isinstance(error, KDError):
        return error.message.rstrip(". ")
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"


def ready(model: Timed, way: Way, form: Form) -> Ready:
    """Prepare a model to be timed. Errors: KDError `latency_way`, in words, where it can't be."""
    before = time.perf_counter()
    if why := model.lacks.get(way.runtime):
        raise _not(why)
    if way.runtime == OWN:
        predict, batch = _own(model, form)
    elif way.runtime == "onnxruntime":
        predict, batch = _file(model, way, form)
    else:
        predict, batch = _torch(model, way, form)
    return Ready(predict, batch, _within(way), time.perf_counter() - before)


def _not(reason: str) -> KDError:
    return KDError("It can't be timed so: {reason}.", "Take another way to run it.", "latency_way", reason=reason)


def _within(way: Way) -> Callable[[], AbstractContextManager[Any]]:
    @contextlib.contextmanager
    def within() -> Iterator[None]:
        with devices.threads(way.threads), torch.inference_mode():
            yield

    return within


def _dicts(model: Timed) -> Callable[[int], Sequence[Any]]:
    rows = model.rows
    if not rows:
        raise _not("the run kept no rows to ask it about")

    def batch(count: int) -> Sequence[Any]:
        if count == 1:
            return rows[:ALONE]
        return [[rows[(at * count + i) % len(rows)] for i in range(count)] for at in range(OTHERS)]

    return batch


def _arrays(x: Any, made: Callable[[Any], Any]) -> Callable[[int], Sequence[Any]]:
    def batch(count: int) -> Sequence[Any]:
        some = ALONE if count == 1 else OTHERS
        return [made(x[(at * count + np.arange(count)) % x.shape[0]]) for at in range(some)]

    return batch


def _own(model: Timed, form: Form) -> tuple[Callable[[Any], Any], Callable[[int], Sequence[Any]]]:
    if form == "network":
        if model.own_read is None:
            raise _not("nobody but itself reads its rows, so that there is only the whole way")
        return model.own_read, _arrays(model.x, lambda x: x)
    assert model.own is not None
    frame = model.frame
    if not model.by_frame:
        return model.own, _dicts(model)
    return model.own, _arrays(np.arange(len(frame)), lambda at: frame.iloc[at])


def _file(model: Timed, way: Way, form: Form) -> tuple[Callable[[Any], Any], Callable[[int], Sequence[Any]]]:
    """Open the deployed file, or the network's, in ONNX Runtime."""
    import onnxruntime

    data = model.file if form == "whole" else model.network
    providers = PROVIDERS[way.device]
    if providers[0] not in onnxruntime.get_available_providers():
        raise _not(
            f"this ONNX Runtime has no {providers[0].removesuffix('ExecutionProvider')}: install onnxruntime-gpu"
        )
    if data is None:
        raise _not("there is no file of it that takes raw rows" if form == "whole" else "there is no file of it")
    try:
        if form == "whole":
            return RawStudent(data, way.threads, providers).run, _dicts(model)
        session = open_session(data, way.threads, providers)
    except RUNTIME_ERRORS as error:
        raise _not(f"ONNX Runtime can't open its file: {str(error).splitlines()[0][:200]}") from None
    if model.x is None:
        raise _not("nothing reads rows apart from its file")
    (given,) = session.get_inputs()
    return lambda x: session.run(None, {given.name: x}), _arrays(model.x, np.ascontiguousarray)


def _torch(model: Timed, way: Way, form: Form) -> tuple[Callable[[Any], Any], Callable[[int], Sequence[Any]]]:
    """Give the network to torch, compiled where that is asked for: a program for each number of rows, made when it is first met."""
    net, device = model.net, torch.device(way.device)
    if net is None:
        raise _not("it is no network of torch")
    alone = Logit(copy.deepcopy(net.module)).to(device).eval()
    logits: Any = torch.compile(alone, dynamic=False) if way.runtime == "compile" else alone
    if form == "whole":
        return lambda rows: net.answers(rows, logits, device), _dicts(model)

    def predict(x: Any) -> Any:
        z = logits(x.to(device))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return z.cpu()

    return predict, _arrays(model.x, lambda x: torch.from_numpy(np.ascontiguousarray(x)))
