"""A run as a grid of cells: their trainings, where these are kept, what came of them."""
