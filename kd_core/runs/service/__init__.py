"""The job service: queue, worker process, stop, recovery."""
