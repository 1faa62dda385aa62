"""What a person is shown of a run: progress, curves, words."""
