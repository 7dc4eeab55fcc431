"""Read JSON and YAML, and check what they hold.

The data files of users are read in `anisweep.datasets.user_files`.
"""
