"""Targets of which a row may have several at once: how they are read from a file, and shared out evenly."""
