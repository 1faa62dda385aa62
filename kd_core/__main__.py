"""`python -m kd_core`: the command line."""

from kd_core.cli.app import main

main()
