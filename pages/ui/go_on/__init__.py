"""Going on from a finished run: offered in its head, told of above the verdict of the run that went on."""
