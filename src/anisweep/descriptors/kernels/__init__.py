"""Load and call the compiled kernels, which are written in C."""
