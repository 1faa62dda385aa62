"""Archives: their table of contents, checked, and what the names of their folders say."""
