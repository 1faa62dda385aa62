"""How sure a difference is: intervals over seeds and rows, words, several students at once."""
