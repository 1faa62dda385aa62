"""What teachers from files share: a child process that reads them, columns and classes found by their names."""
