"""Measure and compute AniSOAP descriptors at the scale of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    import pandas as pd
    from ase import Atoms


def load(study: str) -> pd.DataFrame:
    """Return all rows of a study, one line a measurement.

    The columns are explained in docs/reference/metrics.md.

    The study is sought in ``results/`` of the current folder and of those above it. ``attrs["missing"]``
    of the frame lists the cells that nobody has measured yet.

    Raises
    ------
    FileNotFoundError
        when the study has no tables, naming those that have
    """
    from pathlib import Path

    from anisweep.config.project import Project
    from anisweep.tables.reading import read

    here = Path.cwd()

    for root in (here, *here.parents):
        tables = Project(root).tables(study)
        if (tables / "cells.parquet").exists():
            return read(tables, "cells")

    known = Project(here).studies_with("cells.parquet")
    raise FileNotFoundError(
        f"no tables of study {study!r} in {here / 'results'} or above; studies with tables here: "
        f"{', '.join(known) or 'none'}. Go to the project's folder, or make them: make run STUDY={study}"
    )


def read_particles(file: str | os.PathLike[str], file_format: str | None = None) -> list[Atoms]:
    """Return the frames of a file as the commands read it, for models in Python.

    ASE knows elements alone. Here a particle of any other species has the number that a model of ``anisweep
    fit`` knows it by; ``info["species_names"]`` has its name.

    Parameters
    ----------
    file : str or Path
        Of any format that ``anisweep describe`` takes.
    file_format : str, optional
        Where the file does not say it itself.

    Returns
    -------
    list of Atoms
        With all arrays of the file, by their names.

    Raises
    ------
    ValueError
        Naming file, frame and what cannot be read.
    """
    from pathlib import Path

    from anisweep.datasets.user_files.userfile import read_any

    return list(read_any(Path(file), file_format=file_format))
