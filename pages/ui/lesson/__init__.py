"""What students are taught: built from terms, explained, and seen in a result."""
