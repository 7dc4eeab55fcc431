"""Answer the questions that decide, each with what was aimed at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anisweep.formatting import plain, time_with_unit
from benchmarks._kept import SOAP, Kept
from benchmarks._markdown import interval, line, table

NARROW: dict[str, Any] = {"lmax": 6, "max_radial": None}
WIDE: dict[str, Any] = {"lmax": 9, "max_radial": 6}

#: As series name them.
BASES = {"lmax 6": NARROW, "lmax 9, nmax 6": WIDE}

SYSTEMS = ("ellipsoids", "dense discs")


def answers(kept: Kept) -> Iterator[str]:
    """A table of all questions."""
    yield from table("question", "figure", "goal")
    yield from compared(kept)
    yield from forces(kept)
    yield from precisions(kept)
    yield from growth(kept)
    yield from instructions(kept)
    yield from threads(kept)
    yield from start(kept)


def compared(kept: Kept) -> Iterator[str]:
    """Ours beside other packages."""
    ellipsoids = kept.rows("compared")[0]["system"]
    most = max(row["frames"] for row in kept.rows("compared", system=ellipsoids))

    for contender, system, frames, basis, goal in (
        ("published", ellipsoids, 50, "lmax 9, nmax 6", "12,000"),
        ("published", ellipsoids, most, "lmax 9, nmax 6", "12,000"),
        ("published", ellipsoids, 50, "lmax 6", "400"),
        ("published", ellipsoids, most, "lmax 6", "600"),
        ("published", "dense discs", 50, "lmax 6", "500"),
        (SOAP, ellipsoids, 50, "lmax 9, nmax 6", "50"),
        (SOAP, ellipsoids, most, "lmax 9, nmax 6", "50"),
        (SOAP, "dense discs", 50, "lmax 6", "5"),
    ):
        row = spectrum(kept, system, frames, basis, contender)
        question = f"times as fast as {contender.split(',')[0]}, {frames:,} frames of {system}, {basis}"
        yield line(question, interval(row["over_ours"]), f"≥ {goal}")

    coefficients = kept.one("compared", output="coefficients", contender="published", **WIDE)
    question = "coefficients: times as fast as published, lmax 9, nmax 6"
    yield line(question, interval(coefficients["over_ours"]), "≥ 2,000")

    one = spectrum(kept, ellipsoids, 1, "lmax 6", "ours")
    yield line("one frame of two particles, lmax 6", time_with_unit(one["seconds"]), "< 150 µs")


def spectrum(kept: Kept, system: str, frames: int, basis: str, contender: str) -> dict[str, Any]:
    wanted = {"system": system, "frames": frames, "contender": contender, **BASES[basis]}
    return kept.one("compared", output="power spectrum", **wanted)


def forces(kept: Kept) -> Iterator[str]:
    """What derivatives cost, in fp64."""
    for system in SYSTEMS:
        row = kept.one("growth", series=f"forces, {system}, lmax 9, nmax 6", value="and forces")
        question = f"energies and forces over energies, {system}, lmax 9, nmax 6"
        yield line(question, interval(row["ratio"]), "≤ 2.3")


def precisions(kept: Kept) -> Iterator[str]:
    """What single precision and plain arrays gain."""
    for system in SYSTEMS:
        for basis, goal in (("lmax 6", "1.5"), ("lmax 9, nmax 6", "1.8")):
            row = kept.one("growth", series=f"precision, {system} from arrays, {basis}", value="fp64")
            yield line(f"fp64 over fp32, {system} from arrays, {basis}", interval(row["ratio"]), f"≥ {goal}")

    for system in SYSTEMS:
        row = kept.one("growth", series=f"arrays, {system}, lmax 9, nmax 6", value="from arrays")
        yield line(f"from arrays over from frames, {system}, lmax 9, nmax 6", interval(row["ratio"]), "")


def growth(kept: Kept) -> Iterator[str]:
    """Large cells, and several species."""
    cells = {row["value"]: row for row in kept.rows("growth", series="discs in one cell, lmax 9, nmax 6")}
    large, half = cells["10,000"], cells["5,000"]
    per_pair = time_with_unit(large["seconds"] / large["pairs"])
    yield line("10,000 particles in one cell, a pair", per_pair, "≤ 2 µs")
    yield line("the same over 5,000 particles", plain(large["seconds"] / half["seconds"]), "≤ 2.2")

    row = kept.one("growth", series="species, dense discs, lmax 9, nmax 6", value="2")
    yield line("two species over one, dense discs, lmax 9, nmax 6", interval(row["ratio"]), "≤ 1.5")


def instructions(kept: Kept) -> Iterator[str]:
    """AVX2, where the CPU has more."""
    for system in SYSTEMS:
        first, *others = kept.rows("growth", series=f"instructions, {system}, lmax 9, nmax 6")
        for row in (other for other in others if other["value"] == "avx2"):
            question = f"instructions: avx2 over {first['value']}, {system}, lmax 9, nmax 6"
            yield line(question, interval(row["ratio"]), "≤ 2")


def threads(kept: Kept) -> Iterator[str]:
    """Two threads, and two processes that share nothing."""
    for basis in BASES:
        rows = kept.rows("growth", series=f"threads, kernels, dense discs, {basis}")
        at = {row["value"]: row for row in rows}
        two, apart = at["2"], at["two processes"]
        question = f"two threads, kernels, dense discs, {basis}: times as fast as one"
        yield line(question, interval(inverse(two["ratio"])), "≥ 1.8, or")

        times = plain(apart["seconds"] / two["seconds"])
        yield line("the same: times as fast as two processes that share nothing", times, "≥ 0.97")


def inverse(spread: dict[str, float]) -> dict[str, float]:
    return {"median": 1 / spread["median"], "low": 1 / spread["high"], "high": 1 / spread["low"]}


def start(kept: Kept) -> Iterator[str]:
    """Memory, and the first result of a process."""
    few, many = (row["bytes"] for row in kept.rows("memory"))
    yield line("memory beyond inputs and outputs, all frames over 1,000", plain(many / few), "0.9 to 1.1")

    taken = kept.one("cold_start")
    seconds = time_with_unit(taken["import_s"] + taken["first_s"])
    yield line("import and first power spectrum", seconds, "< 1 s")
