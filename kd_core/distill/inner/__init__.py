"""What a teacher thinks inside: how it reaches a loss, and how rows are compared by it."""
