"""A student as a small web service: rows in as JSON, answers out, nothing else."""
