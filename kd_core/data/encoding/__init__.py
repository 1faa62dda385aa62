"""From typed columns to the numbers that views hand to models."""
