"""What the cells of a column mean: numbers, dates, flags, categories, texts, ids."""
