"""Going on from a finished run: its students learn on from new rows and the teacher's answers, beside rows they know."""
