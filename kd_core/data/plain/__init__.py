"""Rows read with numpy and the standard library alone. Every module here is copied as it is into what leaves the workbench."""
