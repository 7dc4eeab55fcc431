"""Measure speed and size of the descriptors, one file a benchmark. Figures are printed and never judged."""
