"""A training step that can be replayed: on a GPU as one recorded graph, on the CPU as the same calls.

Small networks keep a GPU waiting for the next command: one graph launch per step replaces some hundred.
Source: CUDA graphs, https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_STEPS = 3  # real steps before recording: libraries choose their kernels and workspaces there


class Replay:
    """Calls `step(*inputs)`, whose inputs keep their shapes; it must change tensors in place and return nothing.

    The step reads copies at fixed addresses, so that what is recorded stays valid. Inputs of other shapes (a short
    last batch) are passed on unrecorded.
    """

    def __init__(self, step: Callable[..., None], device: torch.device) -> None:
        self._step, self._device = step, device
        self._static: list[Tensor] = []
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, *inputs: Tensor) -> None:
        """Take one step."""
        if not self._static:
            self._static = [t.clone() for t in inputs]
        if any(t.shape != s.shape for t, s in zip(inputs, self._static, strict=True)):
            self._step(*inputs)
            return
        for mine, given in zip(self._static, inputs, strict=True):
            mine.copy_(given, non_blocking=True)
        self._calls += 1
        if self._device.type != "cuda":
            self._step(*self._static)
        elif self._graph is not None:
            self._graph.replay()
        elif self._calls <= WARM_STEPS:
            self._warm(self._static)
        else:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):  # records without running
                self._step(*self._static)
            self._graph.replay()

    def _warm(self, inputs: Sequence[Tensor]) -> None:
        """Run on a stream of its own, as recording demands."""
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            self._step(*inputs)
        torch.cuda.current_stream(self._device).wait_stream(stream)
