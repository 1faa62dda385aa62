"""How long a person waits: for a list, for the first fit of a teacher after the call, for the evaluation of what was trained.

Each round runs, as processes of their own: `list losses`, `--help`, an ordinary run (sample `visits`, 2 students x 3 seeds),
and a what-if of 63 cells of few epochs whose teacher is kept. Told are seconds and the processor's seconds; on a busy
machine look at the latter, which do not count waiting for a core. With `--against` another checkout takes turns with this
one, and the ratio is the median over rounds. Compiled modules are kept, as they are for a person; round 0 makes them and is
not counted.

- first fit: from the call until the teacher's phase begins, imports, reading, checks and estimate included;
- evaluation: its phase, latency and files included.

    python benchmarks/start_speed.py [--quick] [--rounds N] [--against CHECKOUT] [--json FILE]

Goals on an idle core: lists and help 0.7 s, first fit 4 s, evaluation 2 s (ordinary run) and 4 s (what-if).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
GOALS = {"list losses": 0.7, "--help": 0.7, "first fit": 4.0, "evaluation": 2.0, "evaluation, what-if": 4.0}
ORDINARY = [
    "distill",
    "sample:visits",
    "--target",
    "purchased",
    "--seeds",
    "3",
    "--student",
    "small",
    "--student",
    "tiny",
]
WHAT_IF = ["sweep", "sample:visits", "--target", "purchased", "--seeds", "1", "--epochs", "3"]
WHAT_IF += ["--temperature", "1,1.5,2,3,4,6,8", "--alpha", ".1,.2,.3,.4,.5,.6,.7,.8,.9"]

# Runs the command line with a listener of its own: per event of a phase the time and the processor's seconds so far.
LISTENER = """
import json, resource, sys, time
from kd_core.cli import app as cli
from kd_core.cli import terminal
def follow():
    def hear(event):
        if event["kind"] == "phase":
            used = resource.getrusage(resource.RUSAGE_SELF)
            print(json.dumps(["PHASE", event["phase"], event["state"], time.time(), used.ru_utime + used.ru_stime]), flush=True)
    return hear
terminal.follow = follow
cli.main()
"""

Seconds = tuple[float, float]  # by the clock, by the processor


def started(checkout: Path, workspace: Path, *command: str) -> tuple[subprocess.Popen[str], float]:
    """Start Python in a checkout as a person would: with compiled modules, and a workspace of its own."""
    around = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    around |= {"PYTHONPATH": str(checkout), "KD_WORKSPACE": str(workspace)}
    now = time.time()
    out = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *command], cwd=workspace, env=around, stdout=out, stderr=subprocess.DEVNULL, text=True
    ), now


def of_command(checkout: Path, workspace: Path, *arguments: str) -> Seconds:
    """Time one call of the command line from its start to its end."""
    child, began = started(checkout, workspace, "-m", "kd_core", *arguments)
    assert child.stdout is not None
    child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"kd_core {' '.join(arguments)} failed in {checkout}")
    return time.time() - began, used.ru_utime + used.ru_stime


def of_phases(checkout: Path, workspace: Path, arguments: list[str]) -> dict[tuple[str, str], Seconds]:
    """Tell when the phases of a run begin and end, in seconds since the call."""
    child, began = started(checkout, workspace, "-c", LISTENER, *arguments)
    said, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"kd_core {arguments[0]} failed in {checkout}")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith('["PHASE"')]
    return {(phase, state): (at - began, cpu) for _, phase, state, at, cpu in lines}


def between(phases: dict[tuple[str, str], Seconds], phase: str) -> Seconds:
    """Take the seconds of one phase."""
    (began, cpu_before), (ended, cpu_after) = phases[phase, "start"], phases[phase, "end"]
    return ended - began, cpu_after - cpu_before


def measure(checkout: Path) -> dict[str, Seconds]:
    """Measure everything once in one checkout."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        found = {words: of_command(checkout, workspace, *words.split()) for words in ("list losses", "--help")}
        ordinary = of_phases(checkout, workspace, ORDINARY)
        what_if = of_phases(checkout, workspace, WHAT_IF)
    found["first fit"] = ordinary["teacher", "start"]
    found["evaluation"] = between(ordinary, "evaluate")
    found["evaluation, what-if"] = between(what_if, "evaluate")
    return found


def summary(rounds: list[dict[str, dict[str, Seconds]]]) -> dict[str, Any]:
    """Put the rounds together: medians, ranges and, against another checkout, ratios round by round."""
    found: dict[str, Any] = {}
    for what, goal in GOALS.items():
        row: dict[str, Any] = {"goal_s": goal}
        for side in rounds[0]:
            for name, part in (("s", 0), ("cpu_s", 1)):
                values = [r[side][what][part] for r in rounds]
                row[f"{side}_{name}"] = round(statistics.median(values), 3)
                row[f"{side}_{name}_range"] = [round(min(values), 3), round(max(values), 3)]
        if "other" in rounds[0]:
            ratios = [r["other"][what][1] / r["this"][what][1] for r in rounds]
            row["cpu_ratio"] = round(statistics.median(ratios), 2)
        found[what] = row
    return found


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--quick", action="store_true", help="one round")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--against", type=Path, help="the folder of another checkout")
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    sides = {"this": HERE} | ({"other": given.against.resolve()} if given.against else {})
    rounds = []
    for number in range(1 + (1 if given.quick else given.rounds)):
        order = list(sides.items()) if number % 2 == 0 else list(sides.items())[::-1]
        rounds.append({side: measure(checkout) for side, checkout in order})
        print(f"round {number}: load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    found = summary([{side: r[side] for side in sides} for r in rounds[1:]])
    for what, row in found.items():
        line = f"{what:<20} {row['this_s']:6.2f} s, processor {row['this_cpu_s']:6.2f} s (goal {row['goal_s']} s)"
        if "other" in sides:
            line += f"; other {row['other_s']:6.2f} s, processor {row['other_cpu_s']:6.2f} s; ratio {row['cpu_ratio']}"
        print(line)
    if given.json:
        machine = {"system": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        content = {"rounds": len(rounds) - 1, "python": platform.python_version(), **machine, "measured": found}
        given.json.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
