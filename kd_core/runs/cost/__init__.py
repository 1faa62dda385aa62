"""What a run costs by its size: seconds, and the device on which they are fewer."""
