"""The soft labels of a run, drawn in the browser."""
