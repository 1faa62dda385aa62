"""Which hardware trains and what it is called; the one place that asks torch for it."""

from __future__ import annotations

import contextlib
import functools
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from kd_core import __version__
from kd_core.errors import SpecError
from kd_core.machine import memory
from kd_core.machine.processor import cores as cores


def pick(wanted: str = "auto") -> torch.device:
    """Choose the device: CUDA when present, else the CPU.

    Errors: SpecError when CUDA was asked for by name and is absent.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SpecError(
            "A GPU was asked for, but this machine offers none to torch {torch}.",
            "Choose device 'auto' or 'cpu'.",
            "no_gpu",
            torch=torch.__version__,
        )
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def offers_gpu() -> bool:
    """Say whether this machine has a GPU that torch can use."""
    return torch.cuda.is_available()


def free_bytes(device: torch.device) -> int:
    """Measure the memory that is free on a device, what torch holds there without using it included."""
    if device.type != "cuda":
        return memory.free_bytes()
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0] + kept)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch and OpenMP with `count` threads. Small nets and trees are fastest on one: barriers busy-wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count, user_api="openmp"):
            yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def cpu_name() -> str:
    """Name the processor as the operating system does."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def environment(device: torch.device | None = None) -> dict[str, Any]:
    """Describe the machine and versions a number was measured with."""
    device = device or pick()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
    return {
        "device": device.type,
        "device_name": name,
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "code_version": __version__,
    }


@functools.cache
def has_bfloat16(kind: str) -> bool:
    """Say whether a kind of device ('cpu', 'cuda') multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    with contextlib.suppress(OSError):
        words = Path("/proc/cpuinfo").read_text("utf-8").split()
        return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(words)
    return False
