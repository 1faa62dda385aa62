"""Long runs: `python -m tests.fuzz --inputs 40000 --seed 3 --keep /tmp/found`, or one input again: `--again parquet 3 1234`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import campaign, targets

# Shares of the inputs: binary formats read by native code first.
SHARES = {"parquet": 10, "csv": 8, "spec": 6, "jsonl": 4, "xlsx": 4, "zip": 3, "gz": 3, "result": 2}


def main() -> int:
    """Attack, tell what came out, and fail when anything was not answered in words."""
    ask = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    ask.add_argument("--inputs", type=int, default=4_000, help="how many in total")
    ask.add_argument("--kinds", nargs="*", choices=targets.KINDS, default=list(SHARES), help="what to attack")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--processes", type=int, default=2)
    ask.add_argument("--keep", type=Path, default=None, help="folder for the bytes of what was not caught")
    ask.add_argument("--again", nargs=3, metavar=("KIND", "SEED", "NUMBER"), help="one input again, in this process")
    said = ask.parse_args()
    if said.again:
        kind, seed, number = said.again[0], int(said.again[1]), int(said.again[2])
        targets.read_here()
        with tempfile.TemporaryDirectory() as folder:
            print(targets.attack(kind, *targets.make_input(kind, seed, number), Path(folder)))
        return 0
    whole = sum(SHARES[k] for k in said.kinds)
    start = time.monotonic()
    found = campaign.run(
        {k: said.inputs * SHARES[k] // whole for k in said.kinds}, said.seed, processes=said.processes, keep=said.keep
    )
    for name, times in sorted(found.outcomes.items(), key=lambda item: -item[1]):
        print(f"{times:7,}  {name}")
    for kind, seed, number, what in found.uncaught:
        print(f"UNCAUGHT {kind} {seed} {number}: {what}")
    print(
        f"{found.inputs:,} inputs, {len(found.uncaught)} uncaught, {time.monotonic() - start:,.0f} s; "
        f"the slowest took {found.slowest[0]:.1f} s ({found.slowest[1]})"
    )
    return 1 if found.uncaught else 0


if __name__ == "__main__":
    sys.exit(main())
