"""The chain from data over teachers to students, as one drawing of what the form sets up."""
