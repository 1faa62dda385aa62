"""What the supervisor remembers of the worker."""

from __future__ import annotations

import time

from kd_core.runs.service.watch import Watch


def test_the_time_in_a_state_begins_with_the_state():
    watch = Watch()
    begun = watch.since
    time.sleep(0.01)
    watch.state = "starting"
    assert watch.since == begun
    watch.job, watch.state = None, "busy"
    assert watch.since > begun
