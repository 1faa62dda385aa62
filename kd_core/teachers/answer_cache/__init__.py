"""Answers of teachers kept on disk: packed, checksummed, evicted, counted."""
