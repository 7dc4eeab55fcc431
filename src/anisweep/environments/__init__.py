"""Provide what jobs run in: locked environments and Apptainer images."""
