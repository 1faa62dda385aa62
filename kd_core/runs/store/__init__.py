"""Runs on disk: folders, events, the index over them."""
