"""Experiments as files: run, store, queue, recover."""
