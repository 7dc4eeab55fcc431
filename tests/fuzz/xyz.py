"""XYZ: a frame is read as it stands there, or refused; no other frame is lost with it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from anisweep.describe.first_pass import survey
from fuzz.campaign import Input, Target
from fuzz.mutation import WORDS, changed
from fuzz.words import read_or_refused

SYMBOLS = ("C", "H", "O", "Si")
NOTES = (b"", b' note="Properties=species:S:1"', b" energy=-1.5", b" comment='x y'", b" a=[1,2]", b" \x0cB")
MORE = (
    *WORDS,
    b"Properties=",
    b":R:3",
    b":S:1",
    b":R:1000000000",
    b"Lattice=",
    b'"',
    b"pos:R:3",
    b"99999999",
)

Frame = list[tuple[str, tuple[float, ...]]]


def make(rng: random.Random) -> Input:
    """Some frames, as they are or with some changes."""
    frames = [_frame(rng) for _ in range(rng.randint(1, 4))]
    content = b"".join(_text(rng, frame) for frame in frames)
    return Input(content, frames) if rng.random() < 0.2 else Input(changed(rng, content, MORE))


def _frame(rng: random.Random) -> Frame:
    return [
        (rng.choice(SYMBOLS), tuple(round(rng.uniform(-9, 9), 4) for _ in range(7)))
        for _ in range(rng.randint(1, 5))
    ]


def _text(rng: random.Random, frame: Frame) -> bytes:
    """Columns in one of several orders."""
    order = rng.sample(["species:S:1", "pos:R:3", "c_q:R:4"], 3)
    header = f'Lattice="20 0 0 0 20 0 0 0 20" Properties={":".join(order)} pbc="T T T"'
    lines = [str(len(frame)).encode(), header.encode() + rng.choice(NOTES)]

    for symbol, numbers in frame:
        words = {"species:S:1": [symbol], "pos:R:3": numbers[:3], "c_q:R:4": numbers[3:]}
        lines.append(" ".join(str(word) for name in order for word in words[name]).encode())
    return b"\n".join(lines) + b"\n"


def check(given: Input, folder: Path) -> None:
    file = folder / "some.xyz"
    frames = read_or_refused(given, file)
    if frames is None:
        return

    counts = [len(frame) for frame in frames]
    assert sum(counts) + 2 * len(counts) == _lines(given.content), "lines were lost, or made up"
    surveyed = survey(file)
    assert surveyed.counts.tolist() == counts
    assert surveyed.species.tolist() == sorted({int(n) for frame in frames for n in frame.numbers})

    for frame, right in zip(frames, given.right or [], strict=given.right is not None):
        assert [str(symbol) for symbol in frame.symbols] == [symbol for symbol, _ in right]
        assert np.array_equal(frame.positions, [numbers[:3] for _, numbers in right])
        assert np.array_equal(frame.arrays["c_q"], [numbers[3:] for _, numbers in right])


def _lines(content: bytes) -> int:
    """The number of lines, without blank ones at the end."""
    return len(content.rstrip().split(b"\n"))


TARGET = Target("xyz", make, check)
