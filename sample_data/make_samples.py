"""Write the sample tables and the cards of the page Start: `python sample_data/make_samples.py`. Same seed, same bytes."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from kd_core.scenarios import SCENARIOS  # noqa: E402
from kd_core.scenarios.cards import card  # noqa: E402
from kd_core.scenarios.samples import write_sample  # noqa: E402


def main() -> None:
    """Make every scenario's table and write it beside this file."""
    for entry in SCENARIOS.entries():
        path = write_sample(entry.name, HERE)
        print(f"{path.name}: {entry.facts['rows']:,} rows, {path.stat().st_size / 1024:,.0f} KB")
        card.write(entry.name, HERE)


if __name__ == "__main__":
    main()
