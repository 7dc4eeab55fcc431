"""Hold one file for each family of data sets; a new file is a new data set.

Each file has ``NAMES`` (data set -> parameters of ``generate``), ``FRAMES`` (how many frames its files hold)
and ``generate(frames, seed, **parameters)``, which yields canonical frames. Frame k does not depend on how
many frames are asked for. Where energies take long, ``shapes``, called in the same way, yields the frames
without them: estimates need no more. The docstring of the file says how the data were made, and travels with
them. Files that begin with an underscore are parts of others.
"""
