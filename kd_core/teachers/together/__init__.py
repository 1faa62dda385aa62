"""What several teachers know together."""
