"""Pairs of columns in an additive model: which ones, and where their tables are cut."""
