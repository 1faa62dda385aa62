"""The words of the workbench, explained."""
