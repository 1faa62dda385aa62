"""What every page needs for who uses it by key, by ear or on a phone."""
