"""From the bytes of a file to a table of text or typed cells, whatever they hold."""
