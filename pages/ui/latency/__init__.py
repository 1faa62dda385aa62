"""The latency lab inside Compare: models of chosen runs timed in one session, and what a day of their answers costs."""
