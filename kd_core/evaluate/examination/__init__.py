"""A finished model looked at beyond its score: groups of rows, disturbed rows, and what it looks at."""
