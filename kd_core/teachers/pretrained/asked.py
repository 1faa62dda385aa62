"""Asking a pretrained network batch by batch: whole batches side by side on a CPU, one after another elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.machine.device import threads
from kd_core.teachers.estimator import THREADS
from kd_core.teachers.pretrained.weights_file import bad_weights


def asked(
    network: nn.Module,
    dealt: Iterable[tuple[Array, Tensor]],
    device: torch.device,
    pause: Callable[[], None],
    ask: Callable[[Tensor], Tensor],
    dtype: Any,
) -> Iterator[tuple[Array, Array]]:
    """Put batches (positions, rows) to a network; `pause` is called before each.

    Shape: yields positions (B,) and what `ask` gives of their rows, as `dtype`. Errors: DataError `model_weights` where an answer is not finite.
    """
    network.to(device).eval()
    lanes = THREADS if device.type == "cpu" else 1

    def one(rows: Tensor) -> Array:
        with torch.inference_mode():
            found: Array = ask(rows.to(device)).float().cpu().numpy().astype(dtype)
        if not np.isfinite(found).all():
            raise bad_weights("makes numbers that are not finite of some rows")
        return found

    # Whole batches side by side, each on one thread: two threads in one product wait for each other, and many times
    # longer than they work where the machine is not idle.
    at_work: deque[tuple[Array, Future[Array]]] = deque()
    with threads(1), ThreadPoolExecutor(lanes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for at, rows in dealt:
            pause()
            at_work.append((at, pool.submit(one, rows)))
            if len(at_work) > lanes:
                first, found = at_work.popleft()
                yield first, found.result()
        for first, found in at_work:
            yield first, found.result()
