"""What networks over histories of items share."""
