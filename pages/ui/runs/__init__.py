"""Setting a run up, starting it, watching it."""
