"""Write the benchmarks page and the README's table: ``python -m benchmarks._page``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anisweep.formatting import plain, time_with_unit, whole
from benchmarks import _record
from docs.generators.readme import between

KEPT = Path("docs/benchmarks.json")
PAGE = Path("docs/reference/benchmarks.md")
README = Path("README.md")
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"

PARTS = ("compared", "growth", "stages", "limits", "memory", "cold_start")

#: The page, with names of figures in braces.
TEXT = Path(__file__).with_suffix(".md")

SOAP = "featomic, isotropic"


@dataclass(frozen=True)
class Kept:
    """All figures of one run: for each part the machine and what was measured."""

    parts: dict[str, Any]

    @classmethod
    def read(cls, root: Path) -> Kept:
        return cls(json.loads((root / KEPT).read_text(encoding="utf-8")))

    def rows(self, part: str, **wanted: Any) -> list[dict[str, Any]]:
        """Measurements with the wanted values, in the order of the run."""
        rows = self.parts[part]["measured"]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def one(self, part: str, **wanted: Any) -> dict[str, Any]:
        (row,) = self.rows(part, **wanted)
        return row


def write(root: Path) -> None:
    """Keep the figures of results/benchmarks, and write the page and the README's table."""
    parts = {part: _record.read(part) for part in PARTS}
    (root / KEPT).write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for path, text in contents(root).items():
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")


def contents(root: Path) -> dict[Path, str]:
    """What the page and the README must be, from the kept figures."""
    kept = Kept.read(root)
    front = (root / README).read_text(encoding="utf-8")
    return {root / PAGE: page(kept), root / README: between(front, BEGIN, END, readme(kept))}


def page(kept: Kept) -> str:
    machine, limits = kept.parts["compared"], kept.one("limits")
    loads = [kept.parts[part]["load"] for part in PARTS]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())

    return TEXT.read_text(encoding="utf-8").format(
        cpu=machine["cpu"],
        level=machine["level"],
        packages=packages,
        loads=f"{min(loads):.1f} to {max(loads):.1f}",
        answers="\n".join(answers(kept)),
        compared="\n".join(compared(kept)),
        multiply=plain(limits["multiply_adds"] / 1e9),
        written=plain(limits["bytes_written"] / 1e9),
        stages="\n".join(stages(kept)),
        growth="\n".join(growth(kept)),
    )


def answers(kept: Kept) -> Iterator[str]:
    """The questions that decide, with what was aimed at."""
    yield from table("question", "figure", "goal")
    wide, narrow = {"lmax": 9, "max_radial": 6}, {"lmax": 6, "max_radial": None}
    spectrum = {"output": "power spectrum"}
    ellipsoids = kept.rows("compared")[0]["system"]
    most = max(row["frames"] for row in kept.rows("compared", system=ellipsoids))

    for question, goal, wanted in (
        ("published, 50 frames of ellipsoids, lmax 9, nmax 6", "5,000", (ellipsoids, 50, wide, "published")),
        ("published, 50 frames of ellipsoids, lmax 6", "400", (ellipsoids, 50, narrow, "published")),
        (f"published, {most:,} frames of ellipsoids, lmax 6", "400", (ellipsoids, most, narrow, "published")),
        ("published, dense discs, lmax 6", "500", ("dense discs", 50, narrow, "published")),
        (f"featomic, {most:,} frames of ellipsoids, lmax 9, nmax 6", "20", (ellipsoids, most, wide, SOAP)),
        ("featomic, dense discs, lmax 6", "5", ("dense discs", 50, narrow, SOAP)),
    ):
        system, frames, basis, contender = wanted
        row = kept.one("compared", system=system, frames=frames, contender=contender, **basis, **spectrum)
        yield line(f"times as fast as {question}", interval(row["over_ours"]), f"≥ {goal}")

    coefficients = kept.one("compared", output="coefficients", contender="published", **wide)
    yield line(
        "coefficients: times as fast as published, lmax 9, nmax 6",
        interval(coefficients["over_ours"]),
        "≥ 2,000",
    )

    small = kept.one("compared", system=ellipsoids, frames=1, contender="ours", **narrow, **spectrum)
    yield line("one frame of two particles, lmax 6", time_with_unit(small["seconds"]), "< 150 µs")
    yield from growth_answers(kept)

    few, many = (row["bytes"] for row in kept.rows("memory"))
    yield line("memory beyond inputs and outputs, all frames over 1,000", plain(many / few), "0.9 to 1.1")
    start = kept.one("cold_start")
    yield line(
        "import and first power spectrum", time_with_unit(start["import_s"] + start["first_s"]), "< 1 s"
    )


def growth_answers(kept: Kept) -> Iterator[str]:
    cells = {row["value"]: row for row in kept.rows("growth", series="discs in one cell, lmax 9, nmax 6")}
    large, half = cells["10,000"], cells["5,000"]
    yield line(
        "10,000 particles in one cell, a pair", time_with_unit(large["seconds"] / large["pairs"]), "≤ 2 µs"
    )
    yield line("the same over 5,000 particles", plain(large["seconds"] / half["seconds"]), "≤ 2.2")

    for name, value, goal in (
        ("forces, ellipsoids, lmax 9, nmax 6", "and forces", "≤ 3"),
        ("forces, dense discs, lmax 9, nmax 6", "and forces", "≤ 3"),
        ("species, dense discs, lmax 9, nmax 6", "2", "≤ 1.5"),
        ("instructions, ellipsoids, lmax 9, nmax 6", "avx2", "≤ 2"),
        ("instructions, dense discs, lmax 9, nmax 6", "avx2", "≤ 2"),
    ):
        for row in kept.rows("growth", series=name, value=value):
            first = kept.rows("growth", series=name)[0]["value"]
            yield line(f"{name}: {value} over {first}", interval(row["ratio"]), goal)

    for basis in ("lmax 6", "lmax 9, nmax 6"):
        threads = {
            row["value"]: row for row in kept.rows("growth", series=f"threads, kernels, dense discs, {basis}")
        }
        ratio, most = threads["2"]["ratio"], threads["two processes"]["ratio"]
        yield line(
            f"two threads, kernels, dense discs, {basis}: times as fast", interval(inverse(ratio)), "≥ 1.8"
        )
        yield line("two processes that share nothing, each with half of that", interval(inverse(most)), "")


def inverse(spread: dict[str, float]) -> dict[str, float]:
    return {"median": 1 / spread["median"], "low": 1 / spread["high"], "high": 1 / spread["low"]}


def compared(kept: Kept) -> Iterator[str]:
    """A table for each basis and output."""
    rows = kept.rows("compared")

    for output, lmax, max_radial in dict.fromkeys((r["output"], r["lmax"], r["max_radial"]) for r in rows):
        wanted = {"output": output, "lmax": lmax, "max_radial": max_radial}
        here = kept.rows("compared", **wanted)
        contenders = [name for name in dict.fromkeys(row["contender"] for row in here) if name != "ours"]
        nmax = "as AniSOAP takes it by itself" if max_radial is None else max_radial

        yield f"\n**{output.capitalize()}, lmax {lmax}, nmax {nmax}**\n"
        yield from table("system", "frames", "pairs", "ours", *contenders, "error")
        for ours in (row for row in here if row["contender"] == "ours"):
            where = {name: ours[name] for name in ("system", "frames")}
            others = [kept.one("compared", contender=name, **where, **wanted) for name in contenders]
            error = "" if ours["error"] is None else plain(ours["error"])
            yield line(
                ours["system"],
                whole(ours["frames"]),
                whole(ours["pairs"]),
                time_with_unit(ours["seconds"]),
                *(interval(row["over_ours"]) + star(row) for row in others),
                error,
            )


def star(row: dict[str, Any]) -> str:
    return " *" if row["measured_pairs"] < row["pairs"] else ""


def stages(kept: Kept) -> Iterator[str]:
    """A line for each stage, a column of time and limit for each system and basis."""
    rows = kept.rows("stages")
    columns = list(dict.fromkeys((row["system"], row["lmax"]) for row in rows))
    heads = [f"{system}, lmax {lmax}{', nmax 6' if lmax == 9 else ''}" for system, lmax in columns]
    yield from table("ms (limit)", *heads)

    for stage in dict.fromkeys(row["stage"] for row in rows):
        cells = []
        for system, lmax in columns:
            row = kept.one("stages", stage=stage, system=system, lmax=lmax)
            limit = "" if row["limit_s"] is None else f" ({plain(1e3 * row['limit_s'], 2)})"
            cells.append(plain(1e3 * row["seconds"]) + limit)
        yield line(stage, *cells)

    sums = [sum(r["seconds"] for r in rows if (r["system"], r["lmax"]) == column) for column in columns]
    yield line("**all**", *(f"**{plain(1e3 * value)}**" for value in sums))


def growth(kept: Kept) -> Iterator[str]:
    """A table for each series."""
    for series in dict.fromkeys(row["series"] for row in kept.rows("growth")):
        yield ""
        yield from table(series, "pairs", "time", "a pair", "over the first")
        for row in kept.rows("growth", series=series):
            per_pair = time_with_unit(row["seconds"] / row["pairs"])
            cells = (whole(row["pairs"]), time_with_unit(row["seconds"]), per_pair, interval(row["ratio"]))
            yield line(row["value"], *cells)


def readme(kept: Kept) -> Iterator[str]:
    """One table for the front page."""
    machine = kept.parts["compared"]
    yield f"On one core of {machine['cpu']}, from ASE frames to power spectra (`make bench`):"
    yield ""
    yield from table("", "ours", "published `anisoap`", "featomic's isotropic SOAP", "error")

    for lmax, max_radial, frames in ((9, 6, 50), (6, None, 1000)):
        for system in dict.fromkeys(row["system"] for row in kept.rows("compared")):
            wanted = {"system": system, "lmax": lmax, "max_radial": max_radial, "output": "power spectrum"}
            count = frames if system.startswith("ellipsoids") else 50
            rows = {row["contender"]: row for row in kept.rows("compared", frames=count, **wanted)}
            basis = f"lmax {lmax}" if max_radial is None else f"lmax {lmax}, nmax {max_radial}"
            yield line(
                f"{count:,} frames of {system}, {basis}",
                time_with_unit(rows["ours"]["seconds"]),
                interval(rows["published"]["over_ours"]) + " ×" + star(rows["published"]),
                interval(rows[SOAP]["over_ours"]) + " ×",
                plain(rows["ours"]["error"]),
            )

    yield ""
    yield "The times of the other packages are given as multiples of ours, with quartiles. A star marks a"
    yield "time that was measured on fewer pairs and scaled to all of them. The error is the largest"
    yield "difference from published `anisoap`, relative to the largest value."
    yield "[All figures](docs/reference/benchmarks.md)."


def table(*heads: str) -> list[str]:
    return [line(*heads), line("---", *("--:" for _ in heads[1:]))]


def line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def interval(spread: dict[str, float]) -> str:
    """``13,600 (13,400–13,900)``"""
    if spread["low"] == spread["high"]:
        return plain(spread["median"])
    return f"{plain(spread['median'])} ({plain(spread['low'])}–{plain(spread['high'])})"


if __name__ == "__main__":
    write(Path())
