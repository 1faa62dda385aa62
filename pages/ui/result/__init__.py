"""What came of runs, one or several."""
