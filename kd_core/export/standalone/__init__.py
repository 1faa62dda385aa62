"""The program inside a bundle: copied as it is beside the modules of `data/plain`, and run where nothing of this project is."""
