"""How much memory is free, measured: what the machine has left, within a container's own limit."""

from __future__ import annotations

from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int:
    """Measure the memory that can be taken without swapping; a container's limit counts where there is one."""
    free = int(psutil.virtual_memory().available)
    left = _left_in_container(CGROUP)
    return free if left is None else min(free, left)


def _left_in_container(folder: Path) -> int | None:
    """Bytes below the limit of a control group (version 2); pages of files count as free. None: no limit.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
    """
    try:
        limit = (folder / "memory.max").read_text("ascii").strip()
        used = int((folder / "memory.current").read_text("ascii"))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines())
    except (OSError, ValueError):  # another system, or another version of control groups
        return None
    return None if limit == "max" else max(0, int(limit) - used + int(stat.get("inactive_file", 0)))
