"""A process of its own that opens one model and answers: how long until its first answer, and how much memory it takes.

Run as a program: one line of JSON comes in, and a line goes out when the first row is answered, another when a batch is.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def peak_bytes() -> int:
    """Measure the most memory that this process has held so far. Units: bytes, resident.

    On Linux of this program alone: `getrusage` would count what the process was before it became this program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(one for one in status.read_text("ascii").splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import psutil  # brings nothing that a model needs

    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return int(memory.peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes


def as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row with pictures as text."""
    return {n: {"base64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for n, v in row.items()}


def _row(written: Mapping[str, Any]) -> dict[str, Any]:
    return {n: base64.b64decode(v["base64"]) if isinstance(v, dict) else v for n, v in written.items()}


def _opened(told: Mapping[str, Any]) -> Any:
    """Open the model in its runtime; return what answers raw rows."""
    if told["runtime"] == "onnxruntime":
        from kd_core.export.raw_session import RawStudent

        return RawStudent(Path(told["file"]).read_bytes(), told["threads"]).run
    import torch

    from kd_core.export.purpose import purpose_from
    from kd_core.runs.timing.network import Logit, Network

    torch.set_num_threads(told["threads"])
    view = {name: Path(path).read_bytes() for name, path in told["view"].items()}
    net = Network.again(told["entry"], view, Path(told["weights"]).read_bytes(), purpose_from(told["purpose"]))
    logits, cpu = Logit(net.module).eval(), torch.device("cpu")

    def answers(rows: Any) -> Any:
        with torch.inference_mode():
            return net.answers(rows, logits, cpu)

    return answers


def main() -> None:
    """Open, answer, tell."""
    told = json.loads(sys.stdin.readline())
    rows = [_row(one) for one in told["rows"]]
    answers = _opened(told)
    answers(rows[0])
    print("answered", flush=True)
    answers([rows[at % len(rows)] for at in range(told["batch"])])
    print(json.dumps({"peak_bytes": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main()
