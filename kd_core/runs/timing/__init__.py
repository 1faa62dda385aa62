"""The latency lab: models of finished runs timed in one session, kept beside the runs."""
