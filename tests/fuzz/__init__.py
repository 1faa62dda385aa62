"""Seeded attacks on everything that reads a stranger's file. `python -m tests.fuzz --help` runs long ones."""
