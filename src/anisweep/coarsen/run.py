"""Map a file of atoms to a file of particles, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anisweep.coarsen.mapping import Coarsening
from anisweep.coarsen.options import CoarseOptions
from anisweep.datasets.errors import DataError
from anisweep.datasets.oriented_xyz import text_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.files import whole


def coarsen_file(
    file: Path,
    output: Path,
    options: CoarseOptions | None = None,
    file_format: str | None = None,
    tell: Callable[[int], None] = lambda frames: None,
) -> Coarsening:
    """Map each molecule of each frame to a particle, and write extended XYZ.

    Memory does not grow with the number of frames. The output appears when it is whole.

    Parameters
    ----------
    output : a new file, whose name ends in .xyz or .extxyz
    file_format : of ``file``, where it does not say it itself
    tell : is called after each frame with the number of frames that are done

    Returns
    -------
    Coarsening
        With kinds and shapes, for `summary`.

    Raises
    ------
    DataError
        Naming file, frame, molecule and atom; and for an output that is there already.
    """
    _check_output(output)
    coarsening = Coarsening(options or CoarseOptions(), str(file))

    with whole(output) as stream:
        for frame in read_any(file, file_format=file_format, nameless=True):
            stream.write(text_of(coarsening.particles(frame)).encode())
            tell(coarsening.frames)
    return coarsening


def _check_output(path: Path) -> None:
    if path.suffix not in (".xyz", ".extxyz"):
        came = f"its name ends in {path.suffix!r}"
        raise DataError(str(path), came, ".xyz or .extxyz", "choose another name")
    if not path.parent.is_dir():
        came = f"there is no folder {path.parent}"
        raise DataError(str(path), came, "a folder that exists", f"mkdir -p {path.parent}")
    if path.exists() or path.is_symlink():
        raise DataError(str(path), "it is there already", "a new name", "choose one, or remove the file")
