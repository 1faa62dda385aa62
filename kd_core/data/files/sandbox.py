"""A child process with CPU, memory and time limits for formats whose parsers can be made to explode."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from kd_core import limits
from kd_core.errors import DataError, KDError
from kd_core.machine.memory import free_bytes


def call(function: str, *arguments: Any, seconds: int | None = None) -> Any:
    """Call `package.module:function` with JSON arguments in a limited child process and return its JSON answer.

    Units: `seconds` of processor time and of the clock, `limits.PARSE_SECONDS` when empty.

    Errors: DataError raised by the function itself, or with code `parse_time`, `parse_memory` or `parse_crash`.
    """
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV") if key in os.environ}
    # One thread: each OpenBLAS thread reserves address space, which counts against the limit.
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[3])
    seconds, memory = limits.PARSE_SECONDS if seconds is None else seconds, memory_limit()
    request = json.dumps({"function": function, "arguments": arguments, "seconds": seconds, "memory": memory})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kd_core.data.files.sandbox"],
            input=request,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_slow(seconds) from None
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        answer = json.loads(lines[-1])
        if "error" in answer:
            raise DataError("{text}", "{advice}", answer["code"], text=answer["error"], advice=answer["hint"])
        return answer["value"]
    if done.returncode in (-24, -9):  # SIGXCPU, then SIGKILL at the hard limit
        raise _too_slow(seconds)
    if "MemoryError" in done.stderr or "bad_alloc" in done.stderr or done.returncode == -6:
        raise DataError(
            "Reading the file takes more than {limit:,} MB of memory, the most that one file gets ({why}).",
            "Take a sample of the rows; in a workbook, delete far-away cells and empty formatted rows.",
            "parse_memory",
            limit=memory // 2**20,
            why=_why(memory),
        )
    reason = (
        done.stderr.strip().splitlines()[-1][:300]
        if done.stderr.strip()
        else f"it crashed the parser, signal {-done.returncode}"
    )
    raise DataError(
        "The file can't be read ({reason}).",
        "It may be damaged. Save it again, or as CSV.",
        "parse_crash",
        reason=reason,
    )


def memory_limit() -> int:
    """Address space a child may take: a share of the memory that is free now, within fixed bounds. Unit: bytes."""
    return max(limits.PARSE_MEMORY_LEAST, min(limits.PARSE_MEMORY_BYTES, int(free_bytes() * limits.PARSE_MEMORY_SHARE)))


def _why(memory: int) -> str:
    if memory == limits.PARSE_MEMORY_BYTES:
        return "a fixed limit"
    if memory == limits.PARSE_MEMORY_LEAST:
        return "little is free on this machine"
    return f"{limits.PARSE_MEMORY_SHARE:.0%} of what is free on this machine"


def _too_slow(seconds: int) -> DataError:
    return DataError(
        "Reading the file takes more than {seconds} s.",
        "Save the sheet as CSV and upload that.",
        "parse_time",
        seconds=seconds,
    )


def main() -> None:
    """Serve one request from standard input."""
    request = json.loads(sys.stdin.read())
    resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"], request["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError):  # an outer limit is already lower: then that one holds
        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    module, _, name = request["function"].partition(":")
    try:
        answer = {"value": getattr(importlib.import_module(module), name)(*request["arguments"])}
    except KDError as error:
        answer = {"error": error.message, "hint": error.hint, "code": error.code}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
