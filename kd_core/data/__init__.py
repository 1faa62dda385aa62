"""From a file to rows with a task, a split and tensors."""
