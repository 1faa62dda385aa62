"""What is particular to a task on the screens, one file each."""
