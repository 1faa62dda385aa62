"""Models that were trained elsewhere, read from their files without running anything in them; imports nothing heavy: child processes use it."""
