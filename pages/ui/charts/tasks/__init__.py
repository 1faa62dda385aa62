"""Charts of tasks that have more than one class or one number a row; one module per task."""
