"""The report of a run: a file to hand on."""
