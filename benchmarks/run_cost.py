"""What an ordinary run costs: the three samples with the settings that a person begins with, this checkout against another.

Both take turns as processes of their own, with an empty workspace each. Told are the processor's seconds (what a busy machine
leaves comparable), the seconds of the clock per phase, and the ratio to the other checkout: per sample, and over all.
Finished pairs are kept in the JSON file, and a run that was cut off goes on.

    python benchmarks/run_cost.py --against CHECKOUT [--rounds N] [--sample NAME ...] [--json FILE]

Goal: at most 1.3 times what version 9b246d1 took, which had neither plain models nor deployed files and stopped training early.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
SAMPLES = {"visits": "purchased", "orders": "next_category", "delivery": "minutes"}


def main() -> None:
    """Measure what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", action="append", choices=SAMPLES)
    parser.add_argument("--json", type=Path, default=Path("run_cost.json"))
    asked = parser.parse_args()
    kept: list[dict[str, Any]] = json.loads(asked.json.read_text()) if asked.json.exists() else []
    for turn in range(asked.rounds):
        for sample in asked.sample or SAMPLES:
            if any(k["round"] == turn and k["sample"] == sample for k in kept):
                continue
            pair = {"other": cost(asked.against.resolve(), sample), "this": cost(HERE, sample)}
            kept.append({"round": turn, "sample": sample, **pair, "load": os.getloadavg()})
            asked.json.write_text(json.dumps(kept, indent=1))
    print(told(kept))


def cost(checkout: Path, sample: str) -> dict[str, Any]:
    """Carry out one run. Units: seconds."""
    command = [sys.executable, "-m", "kd_core", "distill", f"sample:{sample}", "--target", SAMPLES[sample]]
    with tempfile.TemporaryDirectory() as place:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, "--out", f"{place}/run"],
            cwd=checkout,
            env={**os.environ, "KD_WORKSPACE": f"{place}/workspace"},
            capture_output=True,
            text=True,
            check=False,
        )
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{sample} failed in {checkout}:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
        result = json.loads(Path(f"{place}/run/result.json").read_text())
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return {"processor": spent, "phases": result["seconds"], "seeds": len(result["students"][0]["seeds"])}


def told(kept: list[dict[str, Any]]) -> str:
    """Say the medians over rounds."""
    lines, all_of = [], {"other": 0.0, "this": 0.0}
    for sample in dict.fromkeys(k["sample"] for k in kept):
        pairs = [k for k in kept if k["sample"] == sample]
        ratio = statistics.median(k["this"]["processor"] / k["other"]["processor"] for k in pairs)
        lines.append(f"{sample}: {ratio:.2f} times the processor's seconds ({len(pairs)} rounds)")
        for side in all_of:
            all_of[side] += statistics.median(k[side]["processor"] for k in pairs)
            phases = {p: statistics.median(k[side]["phases"][p] for k in pairs) for p in pairs[0][side]["phases"]}
            spent = statistics.median(k[side]["processor"] for k in pairs)
            seeds = ", ".join(str(k[side]["seeds"]) for k in pairs)
            lines.append(
                f"  {side:6} {spent:6.1f} s, seeds {seeds}; by the clock "
                + ", ".join(f"{p} {s:.1f}" for p, s in phases.items())
            )
    return "\n".join([*lines, f"all: {all_of['this'] / all_of['other']:.2f} times"])


if __name__ == "__main__":
    main()
