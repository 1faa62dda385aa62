"""What is odd, repeated, rare or too good to be true about rows and columns."""
