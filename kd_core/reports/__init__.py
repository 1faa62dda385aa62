"""A run on paper: one page that anybody can open, and its recipe as a command and as a program."""
