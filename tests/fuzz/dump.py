"""Dumps of LAMMPS: a snapshot is read as it stands there, or refused; no other is lost with it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from fuzz.campaign import Input, Target
from fuzz.mutation import WORDS, changed
from fuzz.words import read_or_refused

COLUMNS = ("x y z", "xs ys zs", "xu yu zu")
MORE = (
    *WORDS,
    b"ITEM: ATOMS id",
    b"ITEM: TIMESTEP",
    b"ITEM: BOX BOUNDS xy xz yz pp pp pp",
    b"id",
    b"xs",
    b"99999999",
)
EDGE = 10.0

Snapshot = list[tuple[int, int, tuple[float, ...]]]


def make(rng: random.Random) -> Input:
    """Some snapshots, as they are or with some changes."""
    snapshots = [_snapshot(rng) for _ in range(rng.randint(1, 4))]
    content = b"".join(_text(rng, number, each) for number, each in enumerate(snapshots))
    return Input(content, snapshots) if rng.random() < 0.2 else Input(changed(rng, content, MORE))


def _snapshot(rng: random.Random) -> Snapshot:
    """Identity, type and position of each particle."""
    count = rng.randint(1, 5)
    return [
        (identity, rng.randint(1, 3), tuple(round(rng.uniform(0, EDGE), 4) for _ in range(3)))
        for identity in rng.sample(range(1, 50), count)
    ]


def _text(rng: random.Random, number: int, snapshot: Snapshot) -> bytes:
    columns = rng.choice(COLUMNS)
    edge = EDGE if columns == "xs ys zs" else 1.0
    lines = [f"ITEM: TIMESTEP\n{number}\nITEM: NUMBER OF ATOMS\n{len(snapshot)}", "ITEM: BOX BOUNDS pp pp pp"]
    lines += [f"0 {EDGE}"] * 3
    lines.append(f"ITEM: ATOMS id type {columns}")
    lines += [
        f"{identity} {kind} {' '.join(str(x / edge) for x in position)}"
        for identity, kind, position in snapshot
    ]
    return "\n".join(lines).encode() + b"\n"


def check(given: Input, folder: Path) -> None:
    file = folder / "some.dump"
    frames = read_or_refused(given, file)
    if frames is None:
        return

    assert [len(frame) for frame in frames] == _rows(given.content), "particles were lost, or made up"
    for frame, right in zip(frames, given.right or [], strict=given.right is not None):
        ordered = sorted(right)
        assert np.allclose(frame.positions, [position for _, _, position in ordered], rtol=1e-12, atol=1e-12)
        assert frame.numbers.tolist() == [kind for _, kind, _ in ordered]


def _rows(content: bytes) -> list[int]:
    """The number of particles of each snapshot, counted without understanding their lines."""
    counts = []
    for part in content.split(b"ITEM: ATOMS")[1:]:
        rows = part.split(b"ITEM: ")[0].split(b"\n")[1:]
        counts.append(sum(bool(row.strip()) for row in rows))
    return counts


TARGET = Target("dump", make, check)
