"""Losses against the labels: the part of a task that needs torch, loaded when something is trained."""
