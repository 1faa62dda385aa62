"""One file, one teacher source."""
