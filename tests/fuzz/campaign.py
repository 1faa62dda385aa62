"""Many inputs in processes that may die; what was not answered as a KDError is kept with its numbers and its bytes."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.targets import make_input

ROOT = Path(__file__).resolve().parents[2]
BATCH = 2_000
SILENCE_SECONDS = 300  # an input that takes longer counts as a hang
IN_CHILD = ("jsonl", "parquet", "xlsx")  # read in a child of the product's own: a death there is told as parse_crash


@dataclass
class Campaign:
    """What came out. `uncaught`: (kind, seed, number, what happened)."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    uncaught: list[tuple[str, int, int, str]] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, other: Campaign) -> None:
        self.inputs += other.inputs
        self.outcomes += other.outcomes
        self.uncaught += other.uncaught
        self.slowest = max(self.slowest, other.slowest)


def run(kinds: dict[str, int], seed: int, *, processes: int = 2, keep: Path | None = None) -> Campaign:
    """Attack with `kinds[kind]` inputs each; the bytes of what was not caught go to the folder `keep`."""
    jobs = [(k, first, min(BATCH, n - first)) for k, n in kinds.items() for first in range(0, n, BATCH)]
    total = Campaign()
    with ThreadPoolExecutor(processes) as pool:
        for (kind, first, count), part in zip(
            jobs, pool.map(lambda job: batch(job[0], seed, *job[1:]), jobs), strict=True
        ):
            total.add(part)
            print(
                f"{kind} {seed} {first}..{first + count - 1}: {len(part.uncaught)} uncaught",
                file=sys.stderr,
                flush=True,
            )
    for kind, used, number, _ in total.uncaught if keep else ():
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{kind}-{used}-{number}").write_bytes(make_input(kind, used, number)[1])
    return total


def batch(kind: str, seed: int, first: int, count: int) -> Campaign:
    """Attack one range; after a death or a hang go on behind the input that caused it."""
    found, end = Campaign(), first + count
    while first < end:
        said, last = _until_the_end(kind, seed, first, end - first)
        for line in said:
            if "uncaught" in line:
                found.uncaught.append((kind, seed, line["uncaught"], line["error"]))
            if "outcomes" in line:
                found.outcomes += Counter({f"{kind} {k}": v for k, v in line["outcomes"].items()})
                found.slowest = max(found.slowest, (line["slowest"][0], f"{kind} {seed} {line['slowest'][1]}"))
                found.inputs += end - first
                return found
        if last.startswith("ended"):  # no input can end the worker this way: the harness itself is broken
            raise RuntimeError(f"the worker for {kind} {seed} {first} {last}")
        number = max((line["next"] for line in said if "next" in line), default=first)
        found.inputs += number - first + 1
        contained = kind in IN_CHILD and last.startswith("died by signal")
        found.outcomes[f"{kind} {last}{' (in the child)' if contained else ''}"] += 1
        if not contained:
            found.uncaught.append((kind, seed, number, last))
        first = number + 1
    return found


def _until_the_end(kind: str, seed: int, first: int, count: int) -> tuple[list[dict], str]:
    command = [sys.executable, "-m", "tests.fuzz.worker", kind, str(seed), str(first), str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines: queue.Queue[str | None] = queue.Queue()
        errors: list[str] = []
        assert process.stdout is not None and process.stderr is not None

        def listen() -> None:
            for line in process.stdout or ():
                lines.put(line)
            lines.put(None)

        readers = [
            threading.Thread(target=listen, daemon=True),
            threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True),
        ]
        for reader in readers:
            reader.start()
        said, last = [], ""
        while True:
            try:
                line = lines.get(timeout=SILENCE_SECONDS)
            except queue.Empty:
                process.kill()
                last = f"hung for {SILENCE_SECONDS} s"
                break
            if line is None:
                break
            said.append(json.loads(line))
        code = process.wait()
        readers[1].join(5)
    tail = errors[-1].strip()[:200] if errors else ""
    return said, last or (f"died by signal {-code}" if code < 0 else f"ended with {code}: {tail}")
