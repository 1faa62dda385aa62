"""What leaves the workbench: files that answer rows without it."""
