"""Files as other programs write them, made at random, with what a reader must find in them."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import gsd.hoomd
import numpy as np
import zstandard

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: zstandard.ZstdCompressor().compress(content),
}

#: Elements, numeric types, beads, and names that other formats take for something else.
SPECIES = ("C", "H", "Cl", "150", "7", "Q0", "NC3", "Ow", "W1", "H2O")
ELEMENTS = SPECIES[:3]


@dataclass
class Frame:
    """What a frame holds. ``arrays`` are those beyond species and positions."""

    species: list[str]
    positions: np.ndarray
    cell: np.ndarray
    pbc: tuple[bool, ...]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Written:
    """A file's text by frames, its name, and what it holds."""

    name: str
    texts: list[str]
    frames: list[Frame]

    @property
    def content(self) -> bytes:
        return "".join(self.texts).encode()

    def write(self, folder: Path, content: bytes | None = None, compression: str = "") -> Path:
        path = folder / f"{self.name}{compression}"
        path.write_bytes(COMPRESSIONS[compression](self.content if content is None else content))
        return path


def number(random: Random) -> float:
    """A number that text keeps only with all of its digits, now and then a round one."""
    return random.choice([random.uniform(-9, 9), random.gauss(0, 1e-7), float(random.randint(-3, 3))])


def table(random: Random, rows: int, columns: int) -> np.ndarray:
    return np.array([[number(random) for _ in range(columns)] for _ in range(rows)])


def shuffled(random: Random, items: Any) -> list[Any]:
    several = list(items)
    return random.sample(several, len(several))


def in_words(value: Any) -> str:
    """A value as files have it."""
    if isinstance(value, (bool, np.bool_)):
        return "T" if value else "F"
    return repr(value.item()) if isinstance(value, np.number) else str(value)


# --- XYZ --------------------------------------------------------------------------------------------------

#: Free text of headers, as ASE understands it too.
NOTES_OF_ASE = (
    "",
    'note="was Properties=species:S:1:pos:R:3"',
    "title=run1\x0cB x",
    "box\u2028B",
    "next\x85line \x0b \x1c",
    'text="a \\"quoted\\" word" other=-1.5',
    "step=3 flags={1 2 3} list=[4 5]",
)
NOTES = (*NOTES_OF_ASE, "note='Lattice=\"1 0 0 0 1 0 0 0 1\"'", "Bob's run", "an open [ bracket")


def xyz(random: Random, for_ase: bool = False) -> Written:
    """Extended XYZ, with columns of every kind in any order; on demand only what ASE reads, too.

    ASE has elements alone and whole numbers of 32 bits, and takes brackets and apostrophes for quotes.
    """
    kinds = random.choices("RSL" if for_ase else "RISL", k=random.randint(0, 4))
    stems = random.choices(("a", "c_q", "Q") if for_ase else ("a", "c_q", "x[1]", "Q"), k=len(kinds))
    columns = [(f"{stem}{place}", kind) for place, (stem, kind) in enumerate(zip(stems, kinds, strict=True))]
    written = Written(f"some{random.choice(('.xyz', '.XYZ', '.extxyz', '.ExtXYZ'))}", [], [])
    end = random.choice(("\n", "\n", "\r\n"))

    for _ in range(random.randint(1, 3)):
        frame = _frame(random, ELEMENTS if for_ase else SPECIES)
        for name, kind in columns:
            frame.arrays[name] = _array(random, kind, len(frame.species))
        written.frames.append(frame)
        written.texts.append(_xyz_text(random, frame, dict(columns), for_ase).replace("\n", end))
    return written


def _frame(random: Random, names: Sequence[str] = SPECIES) -> Frame:
    rows = random.randint(1, 5)
    pbc = tuple(random.choice((True, False)) for _ in range(3))
    cell = table(random, 3, 3) + 20 * np.eye(3)
    return Frame([random.choice(names) for _ in range(rows)], table(random, rows, 3), cell, pbc)


def _array(random: Random, kind: str, rows: int) -> np.ndarray:
    columns = random.choice((1, 1, 3, 4))
    makers: dict[str, Callable[[], Any]] = {
        "R": lambda: number(random),
        "I": lambda: random.randint(-(2**40), 2**40),
        "S": lambda: random.choice(("word", "7", "T", "x'", "[")),
        "L": lambda: random.choice((True, False)),
    }
    values = np.array([[makers[kind]() for _ in range(columns)] for _ in range(rows)])
    return values[:, 0] if columns == 1 else values


def _xyz_text(random: Random, frame: Frame, kinds: dict[str, str], for_ase: bool) -> str:
    rows = len(frame.species)
    name = random.choice(("species", "symbols") if for_ase else ("species", "symbols", "element"))
    columns = {f"{name}:S:1": np.array(frame.species)}
    columns["pos:R:3"] = frame.positions
    for name, values in frame.arrays.items():
        columns[f"{name}:{kinds[name]}:{1 if values.ndim == 1 else values.shape[1]}"] = values

    order = shuffled(random, columns)
    quote = random.choice(('"{}"', "{}"))
    lattice = " ".join(in_words(value) for value in frame.cell.ravel())
    said = [
        f"Properties={quote.format(':'.join(order))}",
        f'Lattice="{lattice}"',
        f'pbc="{" ".join(map(in_words, frame.pbc))}"',
    ]
    header = " ".join(shuffled(random, [*said, random.choice(NOTES_OF_ASE if for_ase else NOTES)]))

    wide = [np.atleast_2d(columns[name].T).T for name in order]
    lines = [" ".join(in_words(value) for part in wide for value in part[row]) for row in range(rows)]
    return "\n".join([str(rows), header, *lines]) + "\n"


# --- dumps of LAMMPS --------------------------------------------------------------------------------------

MORE_COLUMNS = ("c_q[1]", "c_q[2]", "quatw", "f_a[2][3]", "v_x", "mass", "shapex", "c_orient[4]")


def dump(random: Random) -> Written:
    """A custom dump, whose columns change from frame to frame and stand in any order."""
    written = Written(f"some{random.choice(('.dump', '.lammpstrj', '.txt', '.DUMP'))}", [], [])

    for step in range(random.randint(1, 3)):
        frame = _frame(random)
        frame.cell = np.tril(frame.cell) if random.random() < 0.5 else np.diag(np.diag(frame.cell))
        for name in random.sample(MORE_COLUMNS, random.randint(0, 3)):
            frame.arrays[name] = table(random, len(frame.species), 1)[:, 0]
        frame.arrays["id"] = np.array(sorted(random.sample(range(1, 99), len(frame.species))))

        written.frames.append(frame)
        written.texts.append(_dump_text(random, frame, step))
    return written


def _dump_text(random: Random, frame: Frame, step: int) -> str:
    origin = np.array([number(random) for _ in range(3)])
    names = random.choice((("x", "y", "z"), ("xu", "yu", "zu"), ("xs", "ys", "zs")))
    places = frame.positions
    if names[0] == "xs":
        places = np.round(frame.positions, 3)
        frame.positions = origin + places @ frame.cell

    columns: dict[str, Any] = {
        "element": frame.species,
        **dict(zip(names, places.T, strict=True)),
        **frame.arrays,
    }
    order = shuffled(random, columns)
    rows = shuffled(random, range(len(frame.species)))
    lines = [" ".join(in_words(columns[name][row]) for name in order) for row in rows]

    head = ["ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(len(rows)), *_bounds(frame, origin)]
    if random.random() < 0.3:
        head = ["ITEM: UNITS", "lj", "ITEM: TIME", "0.5", *head]
    return "\n".join([*head, f"ITEM: ATOMS {' '.join(order)} ", *lines]) + "\n"


def _bounds(frame: Frame, origin: np.ndarray) -> list[str]:
    """The box as LAMMPS writes it: a tilted one by the box around it."""
    flags = " ".join("pp" if periodic else "ff" for periodic in frame.pbc)
    high = origin + np.diag(frame.cell)
    if not np.tril(frame.cell, -1).any():
        frame.cell = np.diag(high - origin)
        return [
            f"ITEM: BOX BOUNDS {flags}",
            *(f"{in_words(low)} {in_words(up)}" for low, up in zip(origin, high, strict=True)),
        ]

    rows = np.column_stack([frame.cell, origin])
    return [f"ITEM: BOX BOUNDS abc origin {flags}", *(" ".join(map(in_words, row)) for row in rows)]


# --- data files of LAMMPS ---------------------------------------------------------------------------------


def data(random: Random) -> Written:
    """A data file with ellipsoids, in any order of sections and rows."""
    frame = _frame(random)
    rows = len(frame.species)
    frame.pbc = (True, True, True)
    frame.arrays["id"] = np.array(sorted(random.sample(range(1, 99), rows)))
    frame.arrays["c_q"] = table(random, rows, 4)
    for axis in "123":
        frame.arrays[f"c_diameter[{axis}]"] = table(random, rows, 1)[:, 0]
    return Written(
        f"some{random.choice(('.data', '.lmp', '', '.txt'))}", [_data_text(random, frame)], [frame]
    )


def _data_text(random: Random, frame: Frame) -> str:
    kinds = sorted(set(frame.species))
    ids = frame.arrays["id"].tolist()
    images = " 0 -1 2" if random.random() < 0.5 else ""
    comment = random.choice(("", " #C", " #"))

    atoms = [
        f"{identity} {kinds.index(name) + 1} 1 1.0 {' '.join(map(in_words, position))}{images}{comment}"
        for identity, name, position in zip(ids, frame.species, frame.positions, strict=True)
    ]
    lengths = [frame.arrays[f"c_diameter[{axis}]"] for axis in "123"]
    shapes = np.column_stack([*lengths, frame.arrays["c_q"]])
    ellipsoids = [
        f"{identity} {' '.join(map(in_words, row))}" for identity, row in zip(ids, shapes, strict=True)
    ]

    sections = {
        "Atom Type Labels": [f"{number} {name}" for number, name in enumerate(kinds, 1)],
        "Masses": [f"{number} 12.0" for number in range(1, len(kinds) + 1)],
        "Velocities": [f"{identity} 0 0 0 0 0 0" for identity in ids],
        "Atoms # ellipsoid": shuffled(random, atoms),
        "Ellipsoids": shuffled(random, ellipsoids),
    }
    vectors = zip(frame.cell, ("avec", "bvec", "cvec"), strict=True)
    head = [f"{len(ids)} atoms", f"{len(kinds)} atom types", f"{len(ids)} ellipsoids"]
    head += [f"{' '.join(map(in_words, row))} {name}" for row, name in vectors]

    parts = [f"LAMMPS data file{comment}", "\n".join([*shuffled(random, head), "0 0 0 abc origin"])]
    for name in shuffled(random, sections):
        parts += [name, "\n".join(sections[name])]
    return "\n\n".join(parts) + "\n"


# --- GSD --------------------------------------------------------------------------------------------------


def gsd_file(random: Random, folder: Path) -> tuple[Path, list[Frame]]:
    """A GSD file with orientations and the shapes of types."""
    path = folder / f"some{random.choice(('.gsd', '.GSD', '.bin', ''))}"
    frames = []

    with gsd.hoomd.open(str(path), "w") as file:
        for _ in range(random.randint(1, 3)):
            frame, snapshot = _snapshot(random)
            frames.append(frame)
            file.append(snapshot)
    return path, frames


def _snapshot(random: Random) -> tuple[Frame, gsd.hoomd.Frame]:
    frame = _frame(random)
    rows = len(frame.species)
    types = shuffled(random, set(frame.species))
    turns = np.float32(table(random, rows, 4))
    frame.positions = np.float32(frame.positions).astype(float)
    frame.cell, frame.pbc = np.diag([8.0, 9.0, 10.0]), (True, True, True)
    frame.arrays["orientation"] = turns.astype(float)

    snapshot = gsd.hoomd.Frame()
    snapshot.configuration.box = [8, 9, 10, 0, 0, 0]
    snapshot.particles.N = rows
    snapshot.particles.types = types
    snapshot.particles.typeid = [types.index(name) for name in frame.species]
    snapshot.particles.position = frame.positions
    snapshot.particles.orientation = turns
    lengths = {name: [random.randint(1, 9) for _ in "abc"] for name in types}
    snapshot.particles.type_shapes = [
        {"type": "Ellipsoid", **dict(zip("abc", lengths[name], strict=True))} for name in types
    ]
    for axis in range(3):
        column = [2.0 * lengths[name][axis] for name in frame.species]
        frame.arrays[f"c_diameter[{axis + 1}]"] = np.array(column)
    return frame, snapshot
