"""What LAMMPS itself writes gives the features of the same particles as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from real_lammps import Ellipsoids, loaded, run

from anisweep.cell import Hypers
from anisweep.datasets import DIAMETERS, DataError
from anisweep.datasets.species import number_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe import Request
from anisweep.describe.particles import particles as particles_of

CUBE = [[9, 0, 0], [0, 8, 0], [0, 0, 7]]
TILTED = [[9, 0, 0], [2, 8, 0], [-1.5, 1, 7]]
GENERAL = [[0, 8, 1], [-9, 0, 1], [1, 2, 10]]

XYZ = "id type x y z"
BOTH = "c_q[1] c_q[2] c_q[3] c_q[4] c_s[1] c_s[2] c_s[3]"
EXACT = "dump_modify d format float %.17g"


@dataclass(frozen=True)
class Dump:
    """How LAMMPS is asked to write, and what its words mean.

    Attributes
    ----------
    more : commands after `dump d ...`
    species : names by type
    """

    label: str
    columns: str = f"{XYZ} {BOTH}"
    more: str = ""
    name: str = "all.dump"
    cell: Any = None
    origin: tuple[float, float, float] = (0, 0, 0)
    boundary: str = "p p p"
    before: str = ""
    orientations: Any = "c_q"
    diameters: Any = "c_s"
    species: tuple[str, str] = ("1", "2")
    group: str = "all"


SCALAR_COMPUTES = "\n".join(f"compute {name} all property/atom quat{name}" for name in "wijk")
RENAMED = "\n".join(
    f"dump_modify d colname c_{old} {new}"
    for old, new in [
        *zip(("q[1]", "q[2]", "q[3]", "q[4]"), ("quatw", "quati", "quatj", "quatk"), strict=True),
        *zip(("s[1]", "s[2]", "s[3]"), ("shapex", "shapey", "shapez"), strict=True),
    ]
)
QUAT = ("quatw", "quati", "quatj", "quatk")

DUMPS = [
    Dump("positions"),
    Dump("scaled", f"id type xs ys zs {BOTH}"),
    Dump("unwrapped", f"id type xu yu zu {BOTH}"),
    Dump("scaled and unwrapped", f"id type xsu ysu zsu {BOTH}"),
    Dump("all positions", f"{XYZ} xs ys zs xu yu zu ix iy iz {BOTH}"),
    Dump("tilted", cell=TILTED),
    Dump("tilted, scaled", f"id type xs ys zs {BOTH}", cell=TILTED),
    Dump("tilted, scaled and unwrapped", f"id type xsu ysu zsu {BOTH}", cell=TILTED),
    Dump("another origin", f"id type xs ys zs {BOTH}", cell=TILTED, origin=(-3, 5, 2)),
    Dump("general, as LAMMPS turns it", cell=GENERAL, origin=(1, 2, 3)),
    Dump("general", more="dump_modify d triclinic/general yes", cell=GENERAL, origin=(1, 2, 3)),
    Dump("general, scaled", f"id type xs ys zs {BOTH}", "dump_modify d triclinic/general yes", cell=GENERAL),
    Dump("open", boundary="f f f"),
    Dump("slab", boundary="p p f"),
    Dump("wire that shrinks", boundary="s p s"),
    Dump("gzip", name="all.dump.gz"),
    Dump("another ending", name="trajectory.txt"),
    Dump("sorted by another column", more="dump_modify d sort -3"),
    Dump("other order of columns", f"{BOTH} z y x type id"),
    Dump("elements", f"id element x y z {BOTH}", "dump_modify d element C Q0", species=("C", "Q0")),
    Dump(
        "elements and types",
        f"id type element mass x y z {BOTH}",
        "dump_modify d element Na N",
        species=("Na", "N"),
    ),
    Dump("labels", f"id typelabel x y z {BOTH}", before="labelmap atom 1 W 2 NC3", species=("W", "NC3")),
    Dump("units and time", more="dump_modify d units yes time yes"),
    Dump("renamed", more=RENAMED, orientations="quat", diameters="shape"),
    Dump("renamed, one by one", more=RENAMED, orientations=QUAT, diameters=("shapex", "shapey", "shapez")),
    Dump(
        "computes of one column",
        f"{XYZ} c_w c_i c_j c_k c_s[*]",
        orientations=("c_w", "c_i", "c_j", "c_k"),
    ),
    Dump("wildcards", f"{XYZ} c_q[*] c_s[*]"),
    Dump("masses before types", f"mass id proc type x y z {BOTH}"),
    Dump("a group", group="second"),
    Dump("no orientations", "id type x y z", orientations="identity", diameters=(2.0, 1.5, 1.0)),
]


def write(dump: Dump, folder: Path) -> tuple[Path, Ellipsoids]:
    """The file that LAMMPS writes, and the particles that it was given."""
    given = Ellipsoids.random(dump.cell or CUBE, dump.origin)
    program = loaded(given, folder, dump.boundary, "box tilt large")
    path = folder / dump.name

    run(program, dump.before)
    run(program, SCALAR_COMPUTES)
    run(program, "group second type 2")
    run(program, f"dump d {dump.group} custom 1 {path} {dump.columns}\n{EXACT}")
    run(program, dump.more)
    run(program, "run 0")
    program.close()
    return path, given


def as_arrays(given: Ellipsoids, dump: Dump) -> Atoms:
    """The same particles, without any file."""
    rows = [row for row, kind in enumerate(given.types) if dump.group == "all" or kind == 2]
    numbers = [number_of(dump.species[given.types[row] - 1]) for row in rows]
    periodic = [flag == "p" for flag in dump.boundary.split()]

    frame = Atoms(numbers, given.positions[rows], cell=given.cell, pbc=periodic)
    turned = dump.orientations != "identity"
    frame.arrays["c_q"] = given.quaternions[rows] if turned else np.tile([1.0, 0, 0, 0], (len(rows), 1))
    lengths = given.diameters[rows] if turned else np.tile(dump.diameters, (len(rows), 1))
    for name, column in zip(DIAMETERS, lengths.T.copy(), strict=True):
        frame.arrays[name] = column
    return frame


def request(path: Path, dump: Dump) -> Request:
    hypers = Hypers(max_angular=3, max_radial=1, cutoff_radius=4.0)
    return Request(path, hypers, dump.orientations, dump.diameters)


def spectra(asked: Request, frames: list[Atoms]) -> np.ndarray:
    return np.asarray(asked.projection(1).describe(frames, "power_spectrum", True).values)


def assert_equal(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-12 * np.abs(wanted).max()


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.label)
def test_dumps(tmp_path, dump):
    path, given = write(dump, tmp_path)
    asked = request(path, dump)
    frames = list(particles_of(asked, 0, 1))

    assert_equal(spectra(asked, frames), spectra(asked, [as_arrays(given, dump)]))


def test_every_column_is_kept(tmp_path):
    path, _ = write(Dump("kept", f"{XYZ} mass ix vx fx c_w {BOTH}"), tmp_path)
    (frame,) = read_any(path)

    wanted = set(f"id type mass ix vx fx c_w {BOTH}".split())
    assert set(frame.arrays) == {"numbers", "positions"} | wanted


def test_frames_in_which_particles_move(tmp_path):
    dump = Dump("moving")
    given = Ellipsoids.random(CUBE)
    program = loaded(given, tmp_path)
    run(program, f"dump d all custom 1 {tmp_path}/all.dump {dump.columns}\n{EXACT}\ngroup second type 2")
    run(program, "timestep 1.0\nfix 1 second move linear 0.5 0.0 0.25\nrun 3")
    program.close()

    asked = request(tmp_path / "all.dump", dump)
    frames = list(particles_of(asked, 0, 4))
    assert len(frames) == 4

    second = np.array(given.types)[:, None] == 2
    wanted = [as_arrays(given, dump) for _ in frames]
    for step, frame in enumerate(wanted):
        frame.positions += np.where(second, [0.5 * step, 0, 0.25 * step], 0)
    assert_equal(spectra(asked, frames), spectra(asked, wanted))


DATA_FILES = {
    "of LAMMPS": ("write_data {path}", CUBE),
    "tilted": ("write_data {path}", TILTED),
    "turned by LAMMPS": ("write_data {path}", GENERAL),
    "general": ("write_data {path} triclinic/general", GENERAL),
    "without coefficients": ("write_data {path} nocoeff", TILTED),
    "with labels": ("labelmap atom 1 W 2 NC3\nwrite_data {path}", CUBE),
}


@pytest.mark.parametrize("style", DATA_FILES)
def test_data_files(tmp_path, style):
    commands, cell = DATA_FILES[style]
    given = Ellipsoids.random(cell, (1, -2, 3))
    program = loaded(given, tmp_path, before="box tilt large")
    run(program, "run 0\n" + commands.format(path=tmp_path / "all.data"))
    program.close()

    labels = ("W", "NC3") if "label" in style else ("1", "2")
    dump = Dump("data", diameters=None, species=labels)
    asked = request(tmp_path / "all.data", dump)
    frames = list(particles_of(asked, 0, 1))
    assert_equal(spectra(asked, frames), spectra(asked, [as_arrays(given, dump)]))


def test_data_files_that_were_given_to_lammps(tmp_path):
    given = Ellipsoids.random(GENERAL)
    path = tmp_path / "given.data"
    path.write_text(given.data_file())

    dump = Dump("data", diameters=None)
    frames = list(particles_of(request(path, dump), 0, 1))
    assert_equal(spectra(request(path, dump), frames), spectra(request(path, dump), [as_arrays(given, dump)]))


def test_a_hybrid_style_in_a_data_file(tmp_path):
    given = Ellipsoids.random(CUBE)
    program = loaded(given, tmp_path)
    run(program, f"write_data {tmp_path}/plain.data\nclear")
    path = tmp_path / "all.data"
    run(
        program,
        f"""
        units real
        atom_style hybrid charge ellipsoid
        region box block 0 9 0 8 0 7
        create_box 2 box
        create_atoms 1 single 1 2 3
        create_atoms 2 single 4 5 6
        set type 1 shape 3 2 1
        set type 1 quat 0 0 1 90
        set type 1 charge 0.5
        set type 1 density 1
        write_data {path}
        """,
    )
    program.close()

    (frame,) = read_any(path)
    assert frame.positions.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert frame.arrays["c_q"] == pytest.approx(np.array([[0.5**0.5, 0, 0, 0.5**0.5], [1, 0, 0, 0]]))
    assert [frame.arrays[name][0] for name in DIAMETERS] == [3, 2, 1]
    assert np.isnan(frame.arrays[DIAMETERS[0]][1])


REFUSED = {
    "binary": ("custom 1 {folder}/all.dump.bin id type x y z", "binary2txt"),
    "dcd": ("dcd 1 {folder}/all.dcd", "MDAnalysis"),
    "yaml": ("yaml 1 {folder}/all.yaml id type x y z", "dump ID all custom"),
    "local": ("local 1 {folder}/all.local index c_l", "dump custom"),
}


@pytest.mark.parametrize("style", REFUSED)
def test_other_dumps_are_refused_with_the_way_to_write_them(tmp_path, style):
    program = loaded(Ellipsoids.random(CUBE), tmp_path)
    command, remedy = REFUSED[style]
    run(program, "compute l all property/local natom1")
    run(program, f"dump d all {command.format(folder=tmp_path)}\nrun 0")
    program.close()

    (path,) = tmp_path.glob("all*")
    with pytest.raises(DataError, match=remedy):
        list(read_any(path))


@pytest.mark.parametrize("names", ["1 2", "C Q0"])
def test_plain_xyz_of_lammps(tmp_path, names):
    given = Ellipsoids.random(CUBE)
    program = loaded(given, tmp_path)
    path = tmp_path / "all.xyz"
    run(program, f"dump d all xyz 1 {path}\ndump_modify d element {names} sort id\nrun 0")
    program.close()

    (frame,) = read_any(path)
    assert frame.positions == pytest.approx(given.positions, rel=1e-5)
    assert frame.numbers.tolist() == [number_of(names.split()[kind - 1]) for kind in given.types]
