"""Measure a pack inside a job: pin threads, time cells, compare with the reference, write the artifact."""
