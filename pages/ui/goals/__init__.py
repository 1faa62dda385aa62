"""What a person asks of a small model: the form, what is kept of it for other pages, and whether a run kept to it."""
