"""Half a million rows end to end: an order-line table in 305 CSVs, the target derived, grouped by invoice.

    python benchmarks/retail.py ../shared/data/online_retail/online_retail_by_day.zip --out /tmp/retail

Derives `no_customer` (CustomerID is missing) from the zip, removes CustomerID, and runs the whole
experiment twice: grouped by InvoiceNo, and (profile only) with a random split, which must draw the leak warning.
With --sweep it is a what-if of 75 variants, one epoch each. Prints seconds per phase and the peak memory of the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.files.reading import read_table
from kd_core.data.preparation import profile_source
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, DatasetSpec, ReadSpec, RunSpec, StudentSpec, SweepSpec, TrainingSpec


def derive(source: Path, target: Path, lines: int | None = None) -> int:
    """Write the table with `no_customer` in place of CustomerID; return the number of rows.

    `lines`: about so many, those of every second, third, ... invoice.
    """
    frame = read_table(source).frame
    if lines is not None:
        every = max(1, round(len(frame) / lines))
        frame = frame[frame["InvoiceNo"].isin(frame["InvoiceNo"].unique()[::every])]
    missing = frame["CustomerID"].isna() | (frame["CustomerID"] == "")
    frame = frame.drop(columns=["CustomerID"]).assign(no_customer=missing.map({True: "yes", False: "no"}))
    frame.to_csv(target, index=False)
    return len(frame)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Derive, profile, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one epoch, one seed")
    parser.add_argument("--sweep", action="store_true", help="a what-if of 5 T x 5 alpha x 3 seeds with one epoch each")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "order_lines.csv"
        start = time.monotonic()
        rows = derive(args.zip, table)
        numbers = {"rows": rows, "derive_seconds": time.monotonic() - start}
        found = profile_source(str(table), ReadSpec(), target="no_customer")
        numbers["random_split_warnings"] = [p.code for p in found.problems if p.severity == "warning"]
        spec = RunSpec(
            name="order lines without a customer",
            dataset=DatasetSpec(
                source=str(table), target="no_customer", positive="yes", group="InvoiceNo", drop=("InvoiceNo",)
            ),
            teacher=Choice(name="gradient_boosting"),
            students=(StudentSpec(name="small", arch=Choice(name="mlp", settings={"size": "small"})),),
            objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.7}),
            training=TrainingSpec(seeds=1 if args.quick else 3, epochs=1 if args.quick else None),
        )
        if args.sweep:
            grid = SweepSpec(temperature=(1, 2, 4, 8, 16), alpha=(0, 0.25, 0.5, 0.75, 1))
            spec = spec.model_copy(update={"training": TrainingSpec(seeds=3, epochs=1), "sweep": grid})
        start = time.monotonic()
        result, _ = run_here(spec, args.out, lambda e: e["kind"] == "phase" and print(e, flush=True), StopSignal())
        numbers |= {"run_seconds": time.monotonic() - start, "phases": result["seconds"], "peak_mb": peak_mb()}
        student = result["students"][0]
        numbers["roc_auc"] = {
            "teacher": result["teacher"]["metrics"]["roc_auc"],
            "student": student["metrics"]["roc_auc"],
            "baseline": student["baseline"]["metrics"]["roc_auc"],
        }
        numbers |= {
            "sweep": {k: result["sweep"][k] for k in ("variants", "trainings", "mode", "why", "seconds")}
            if args.sweep
            else None,
            "gain": student["gain"]["roc_auc"],
            "verdict": student["verdict"],
            "environment": result["environment"],
        }
    print(json.dumps(numbers, indent=1))
    if args.json:
        args.json.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
