"""Many networks of one form trained as one program."""
