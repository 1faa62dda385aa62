"""Teachers asked about rows that nobody has seen: which can be, and why others can not."""
