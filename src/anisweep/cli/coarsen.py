"""Define `anisweep coarsen`, which makes an oriented particle of each molecule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anisweep.cli.decorators import plainly
from anisweep.cli.progress_line import ProgressLine
from anisweep.cli.reading_options import file_format
from anisweep.errors import UserError
from anisweep.formatting import counted

if TYPE_CHECKING:
    from anisweep.coarsen import CoarseOptions

FILE = click.Path(path_type=Path)

#: The keys of `coarsen.options.UNITS`, which is not imported before it is needed.
STYLES = ("real", "metal", "lj", "electron", "micro", "nano")


@click.command()
@click.argument("file", type=FILE, metavar="ATOMS")
@click.option("-o", "--out", type=FILE, required=True, help="OUT.xyz, a new file.")
@file_format
@click.option(
    "--molecules", help="Array with the number of each atom's molecule; without it, mol or residues."
)
@click.option("--indices", type=FILE, help="File with a molecule a line: the places of its atoms, from 0.")
@click.option("--masses", help="By species, as '{1: 12.011, 2: 1.008}'; without it, the file's own.")
@click.option("--forces", help="Names of the forces on atoms; without it, forces or fx,fy,fz.")
@click.option("--names", help="Names of the kinds of molecules, as BENZENE,WATER.")
@click.option("--units", type=click.Choice(STYLES), help="LAMMPS's name for the units of ATOMS.")
@click.option("--longest-bond", type=float, help="Refuse molecules with a gap longer than this.")
@plainly
def coarsen(file: Path, out: Path, file_format: str | None, **given: Any) -> None:
    """Make an oriented particle of each molecule in ATOMS, with net forces and torques."""
    from anisweep.coarsen import coarsen_file, summary

    shown = ProgressLine()
    coarsening = coarsen_file(
        file,
        out,
        _options(given),
        file_format,
        lambda frames: shown.show(counted(frames, "frame"), finished=False),
    )
    shown.show(counted(coarsening.frames, "frame"), finished=True)

    for line in summary(coarsening):
        click.echo(line)
    click.echo(f"Wrote {out}. Next: anisweep inspect {out}")


def _options(given: dict[str, Any]) -> CoarseOptions:
    """Return the options as the library takes them."""
    from anisweep.coarsen import CoarseOptions

    if given["molecules"] and given["indices"]:
        raise UserError("--molecules and --indices: both came. Allowed: one of them.\nLeave one out.")

    bond = given["longest_bond"]
    if bond is not None and not 0 < bond < float("inf"):
        raise UserError(f"--longest-bond {bond}: not allowed. Allowed: a length above 0.\nLeave it out.")

    return CoarseOptions(
        molecules=_lists(given["indices"]) if given["indices"] else given["molecules"],
        masses=_masses(given["masses"]) if given["masses"] else {},
        forces=given["forces"],
        names=_names(given["names"]) if given["names"] else (),
        units=given["units"],
        longest_bond=bond,
    )


def _lists(path: Path) -> list[list[int]]:
    """Return the atoms of each molecule."""
    from anisweep.files import read_bytes

    found = []
    for number, line in enumerate(read_bytes(path).decode(errors="replace").splitlines(), start=1):
        words = line.split()
        if not all(word.isascii() and word.isdigit() and len(word) < 16 for word in words):
            raise UserError(
                f"{path}, line {number}: {line[:60]!r} came. Allowed: whole numbers from 0 with blanks "
                "between them, the places of a molecule's atoms.\nCorrect the line."
            )
        if words:
            found.append([int(word) for word in words])
    return found


def _masses(text: str) -> dict[str, float]:
    from anisweep.datasets.species import name_from_yaml
    from anisweep.parsing.yaml_text import NotYaml, read_yaml_text

    try:
        given = read_yaml_text(text)
        named = {name_from_yaml(name): mass for name, mass in given.items()}
        if all(type(mass) in (int, float) and 0 < mass < float("inf") for mass in named.values()):
            return named
    except (NotYaml, ValueError, AttributeError):
        pass
    raise UserError(
        f"--masses {text}: not allowed. Allowed: positive masses by species.\n"
        "For example --masses '{C: 12.011, H: 1.008}'."
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(name and name.isprintable() and not set(name) & set(" \"'=#") for name in names):
        raise UserError(
            f"--names {text}: not allowed. Allowed: words with commas between them, without blanks.\n"
            "For example --names BENZENE,WATER."
        )
    return names
