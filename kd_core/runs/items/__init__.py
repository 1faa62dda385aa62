"""What is told of runs that say which item comes next."""
