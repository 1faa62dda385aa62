"""What a service adds to a student's own time: one row over a socket beside the same row in this process, and 8 clients at once.

python benchmarks/serving.py [--requests 1000] [MODEL ...]; a run of the visits sample is made where no model is named.
Times are wall time of this machine; compare within one run only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CLIENTS, BATCH = 8, 100


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("models", nargs="*")
    asked.add_argument("--requests", type=int, default=1_000)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="kd-serving-") as place:
        os.environ.setdefault("KD_WORKSPACE", place)
        models = given.models or [made(Path(place) / "visits")]
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {given.requests} requests each")
        for model in models:
            measure(model, given.requests)


def made(folder: Path) -> str:
    """Train the run that is served."""
    words = ["distill", "sample:visits", "--target", "purchased", "--student", "small", "--epochs", "5", "--seeds", "1"]
    subprocess.run(
        [sys.executable, "-m", "kd_core", *words, "--out", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return str(folder)


def measure(model: str, requests: int) -> None:
    from kd_core.serving.openapi import example_row
    from kd_core.serving.served import open_served

    served = open_served(model)
    row = example_row(served)
    body, many = (json.dumps(one).encode() for one in ({"row": row}, {"rows": [row] * BATCH}))
    if served.pictures:
        raise SystemExit("a model of pictures is asked about bytes, which this measures not")
    alone = timed(lambda: served.run(dict(row)), requests)
    process = subprocess.Popen(
        [sys.executable, "-m", "kd_core", "serve", model, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+) ", process.stdout.readline())
        assert found is not None
        port = int(found[1])
        one = timed(asking(port, body), requests)
        batch = timed(asking(port, many), max(50, requests // 10))
        waits, wall = crowd(port, body, requests)
    finally:
        process.terminate()
        process.wait()
    told(f"{served.name}, {len(served.types)} columns: the model alone, in this process", alone)
    told("one row over HTTP, one client, one connection", one)
    told(f"a row of a batch of {BATCH} over HTTP", batch / BATCH)
    told(f"one row over HTTP, {CLIENTS} clients at once ({len(waits) / wall:,.0f} rows a second)", waits)
    print(
        f"  one row over HTTP takes {np.median(one) / np.median(alone):.1f} times the model's own time, a row of a batch {np.median(batch) / BATCH / np.median(alone):.2f}"
    )


def timed(ask: Any, number: int) -> Any:
    """Time each of so many calls, after some that warm up. Units: microseconds."""
    for _ in range(20):
        ask()
    times = []
    for _ in range(number):
        before = time.perf_counter()
        ask()
        times.append(time.perf_counter() - before)
    return 1e6 * np.array(times)


def asking(port: int, body: bytes) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> None:
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        data = reply.read()
        if reply.status != 200:
            raise SystemExit(data.decode())

    return ask


def crowd(port: int, body: bytes, requests: int) -> tuple[Any, float]:
    """Let several clients ask at once; return the time of each request and of all together."""
    found: list[Any] = []
    clients = [
        threading.Thread(target=lambda: found.append(timed(asking(port, body), requests // CLIENTS)))
        for _ in range(CLIENTS)
    ]
    before = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    wall = time.perf_counter() - before
    return np.concatenate(found), wall


def told(name: str, times: Any) -> None:
    middle, slow = np.percentile(times, (50, 95))
    print(f"  {name}: p50 {middle:,.0f} us, p95 {slow:,.0f} us (n {len(times)})")


if __name__ == "__main__":
    main()
