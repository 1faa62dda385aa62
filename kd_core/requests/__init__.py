"""What a run may be asked for beyond training its students: one file a kind of request."""
