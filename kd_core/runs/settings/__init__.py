"""What a what-if answers about each setting that it varied: which values will do, which are not clear yet, which are worse."""
