"""`python -m anisweep`, for jobs: there the code travels along and is not installed."""

from anisweep.cli import main

main(prog_name="anisweep")
