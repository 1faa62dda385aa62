"""One script per figure: ratios measured in one run; `--quick` for a smoke size, `--json FILE` for the numbers."""
