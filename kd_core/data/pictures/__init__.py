"""Pictures: the column that holds their pixels, and the child process that decodes them."""
