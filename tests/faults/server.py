"""A server process for the fault tests: a job service with a fake worker and one run, until it is killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kd_core.runs.service.jobs import JobService
from tests.runs.services import FAKE, run_spec

if __name__ == "__main__":
    service = JobService(Path(sys.argv[1]), command=FAKE)
    print(service.submit(run_spec("steps")), service.submit(run_spec("quick", 1)), flush=True)
    time.sleep(600)
