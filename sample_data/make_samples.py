"""Write the sample tables: `python sample_data/make_samples.py`. Same seed, same bytes."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from kd_core.scenarios import SCENARIOS  # noqa: E402
from kd_core.seeding import derive  # noqa: E402

SEED = 20261120


def main() -> None:
    """Make every scenario's table and write it beside this file as gzipped CSV."""
    for entry in SCENARIOS.entries():
        rng = np.random.default_rng(derive(SEED, entry.name))
        frame = entry.make(rng, entry.facts["rows"])
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="") as out:
            out.write(frame.to_csv(index=False, lineterminator="\n").encode())
        path = HERE / f"{entry.facts['sample']}.csv.gz"
        path.write_bytes(buffer.getvalue())
        print(f"{path.name}: {len(frame):,} rows, {len(buffer.getvalue()) / 1024:,.0f} KB")


if __name__ == "__main__":
    main()
