"""Compare in a real browser."""
