"""Figures of speed and size, one file each: `python -m benchmarks`. They are printed and never judged."""
