"""Time and memory of reading and understanding a large table.

    python benchmarks/profile_speed.py [--quick] [--json FILE]

Makes a CSV of 1,000,000 rows x 20 columns (numbers, codes, categories, dates, flags, ids; 2 % of the number cells
empty) in a temporary folder, then reads and profiles it in a fresh process on one core.
Goal: at most 10 s and 1.5 GB (peak resident memory of that process, imports included).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS, QUICK_ROWS = 1_000_000, 50_000
GOAL_SECONDS, GOAL_BYTES = 10.0, 1.5e9

_MEASURED = """
import json, os, resource, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from kd_core.data.profile import profile_table
from kd_core.data.files.reading import read_table
start, cpu = time.perf_counter(), time.process_time()  # CPU time too: on a busy machine the clock also runs for others
table = read_table(sys.argv[1])
read = time.perf_counter() - start
profile = profile_table(table, target="bought")
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"rows": profile.num_rows, "columns": len(profile.columns), "seconds": seconds, "read_seconds": read,
                  "cpu_seconds": time.process_time() - cpu, "peak_bytes": peak,
                  "kinds": {c.name: c.kind for c in profile.columns},
                  "problems": [p.code for p in profile.problems]}))
"""


def write_table(path: Path, rows: int) -> None:
    """Write the table: 8 measures, 3 counts, 1 code, 4 categories, a date, a flag, an id and the target."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    columns: dict[str, object] = {"order_id": np.arange(10_000_000, 10_000_000 + rows)}
    for i in range(8):
        values = np.round(rng.lognormal(2, 1, rows), 4).astype(object)
        values[rng.random(rows) < 0.02] = ""
        columns[f"measure_{i}"] = values
    for i in range(3):
        columns[f"count_{i}"] = rng.poisson(3 + 4 * i, rows)
    columns["zip_code"] = rng.integers(10_000, 19_999, rows)
    for i, distinct in enumerate((5, 40, 900, 30_000)):
        columns[f"category_{i}"] = np.char.add(f"value {i} ", rng.integers(0, distinct, rows).astype(str))
    columns["visited"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 365 * 86_400, rows), unit="s")
    columns["member"] = np.where(rng.random(rows) < 0.3, "yes", "no")
    odds = np.array([float(v or 7) for v in np.asarray(columns["measure_0"])]) / 8 + rng.normal(0, 2, rows)
    columns["bought"] = np.where(odds > 2.5, "TRUE", "FALSE")
    frame = pd.DataFrame(columns)
    assert frame.shape == (rows, 20)
    frame.to_csv(path, index=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows instead of {ROWS:,}")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    args = parser.parse_args()
    rows = QUICK_ROWS if args.quick else ROWS
    project = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(prefix="kd-profile-") as folder:
        path = Path(folder) / "table.csv"
        write_table(path, rows)
        size = path.stat().st_size
        threads = {"OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1", "PYTHONPATH": str(project)}
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, str(path)], env={**os.environ, **threads}, capture_output=True, text=True
        )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return 1
    found = json.loads(done.stdout)
    found |= {
        "file_bytes": size,
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }
    ok = found["seconds"] <= GOAL_SECONDS and found["peak_bytes"] <= GOAL_BYTES
    print(f"{found['rows']:,} rows x {found['columns']} columns, {size / 1e6:.0f} MB, one core of {found['machine']}")
    print(
        f"read {found['read_seconds']:.2f} s, read and profiled {found['seconds']:.2f} s (goal {GOAL_SECONDS:.0f} s), "
        f"of which the core worked {found['cpu_seconds']:.2f} s for this"
    )
    print(
        f"peak memory {found['peak_bytes'] / 1e9:.2f} GB (goal {GOAL_BYTES / 1e9:.1f} GB): {'held' if ok else 'MISSED'}"
    )
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
