"""How many cores there are for this process, and how busy the machine is; needs no torch."""

from __future__ import annotations

import os

import psutil

MOST_BUSY = 8.0  # beyond it the load average says little: what waits may wait for a disk


def cores() -> int:
    """Count the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy() -> float:
    """Estimate how many times longer one thread takes because of what else the machine does now; 1 when it is idle.

    From the load average of the last minute, which counts the whole machine's work, whatever part of it is ours.
    """
    return float(min(MOST_BUSY, max(1.0, (psutil.getloadavg()[0] + 1) / (os.cpu_count() or 1))))
