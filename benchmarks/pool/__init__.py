"""Measure what HTCondor and the executor cost, on the test pool: `python -m benchmarks.pool`."""
