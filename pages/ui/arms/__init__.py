"""The arms of a result beside each other: teacher, baseline, placebo, student, plain model."""
