"""Read the files of users: XYZ, LAMMPS, GSD and what ASE reads, with the conventions of each program.

Each format is one file in `readers`. The other files find orientations, diameters and species in what
readers return.
"""
