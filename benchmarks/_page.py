"""Write the benchmarks page and the tables of other pages: ``python -m benchmarks._page``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from anisweep.formatting import plain, time_with_unit, whole
from benchmarks import _record
from benchmarks._answers import answers
from benchmarks._kept import KEPT, PARTS, SOAP, Kept
from benchmarks._markdown import basis_words, interval, line, star, table
from docs.generators.readme import between

PAGE = Path("docs/reference/benchmarks.md")
README = Path("README.md")
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"

EXPLANATION = Path("docs/explanation/descriptors.md")
PRECISION = "<!-- precision: begin -->", "<!-- precision: end -->"

#: The page, with names of figures in braces.
TEXT = Path(__file__).with_suffix(".md")


def write(root: Path) -> None:
    """Keep the figures of results/benchmarks, and write the pages that show them."""
    parts = {part: _record.read(part) for part in PARTS}
    (root / KEPT).write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for path, text in contents(root).items():
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")


def contents(root: Path) -> dict[Path, str]:
    """What the pages must be, from the kept figures."""
    kept = Kept.read(root)
    front, explanation = ((root / path).read_text(encoding="utf-8") for path in (README, EXPLANATION))
    return {
        root / PAGE: page(kept),
        root / README: between(front, BEGIN, END, readme(kept)),
        root / EXPLANATION: between(explanation, *PRECISION, precisions(kept)),
    }


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
        training="\n".join(training(kept)),
        dynamics="\n".join(dynamics(kept)),
        growth="\n".join(growth(kept)),
    )


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


def training(kept: Kept) -> Iterator[str]:
    """A line for each set of frames and basis, and a column for each way."""
    steps = kept.rows("training")
    first, *others = dict.fromkeys(step["way"] for step in steps)
    yield from table("frames × particles", "basis", first, *others)

    for step in (step for step in steps if step["way"] == first):
        where = {name: step[name] for name in ("frames", "particles", "lmax", "max_radial")}
        rows = [kept.one("training", way=way, **where) for way in others]
        yield line(
            f"{step['frames']} × {step['particles']}",
            basis_words(step),
            time_with_unit(step["seconds"]),
            *(interval(row["over_kernels"]) for row in rows),
        )


def dynamics(kept: Kept) -> Iterator[str]:
    """Steps a second of each system and basis."""
    yield from table("frames × particles", "pairs", "basis", "fp64", "fp32", "fp32: time over fp64")

    for double in kept.rows("dynamics", precision="fp64"):
        where = {name: double[name] for name in ("frames", "particles", "lmax", "max_radial")}
        single = kept.one("dynamics", precision="fp32", **where)
        yield line(
            f"{double['frames']} × {double['particles'] // double['frames']:,}",
            whole(double["pairs"]),
            basis_words(double),
            plain(1 / double["seconds"]),
            plain(1 / single["seconds"]),
            interval(single["over_fp64"]),
        )


def precisions(kept: Kept) -> Iterator[str]:
    """How many times as long fp64 takes, a line for each series."""
    machine = kept.parts["growth"]
    yield f"On one core of {machine['cpu']} with {machine['level']} (`make bench`):"
    yield ""
    yield from table("", "fp64", "fp32", "fp64 over fp32")

    for double in kept.rows("growth", value="fp64"):
        single = kept.one("growth", series=double["series"], value="fp32")
        times = (time_with_unit(row["seconds"]) for row in (double, single))
        yield line(double["series"].removeprefix("precision, "), *times, interval(double["ratio"]))
    yield ""


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


if __name__ == "__main__":
    write(Path())
