"""One process that attacks a range of inputs and says after each which one is next; it may die, its parent looks on."""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from tests.fuzz import targets

MEMORY_BYTES = 6 * 2**30


def main() -> None:
    """Serve `kind seed first count`: one JSON line an uncaught input, a mark before each input, the counts at the end."""
    kind, seed, first, count = sys.argv[1], *map(int, sys.argv[2:5])
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    targets.read_here()
    outcomes: Counter[str] = Counter()
    slowest = (0.0, first)
    with tempfile.TemporaryDirectory(prefix="kd-fuzz-") as name:
        for number in range(first, first + count):
            print(json.dumps({"next": number}), flush=True)
            place, data = targets.make_input(kind, seed, number)
            start = time.monotonic()
            try:
                outcomes[targets.attack(kind, place, data, Path(name))] += 1
            except (Exception, RecursionError) as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                told = f"{type(error).__name__}: {str(error)[:300]!a} in {Path(where.filename).name}:{where.lineno}"
                print(json.dumps({"uncaught": number, "error": told}), flush=True)
                outcomes["uncaught"] += 1
            slowest = max(slowest, (time.monotonic() - start, number))
    print(json.dumps({"outcomes": outcomes, "slowest": slowest}), flush=True)


if __name__ == "__main__":
    main()
