"""`anisweep image ...`: build, test, push and prune images."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from anisweep import apptainer, images
from anisweep.config import ConfigError, Project
from anisweep.images import Image, Wanted
from anisweep.plainly import plainly
from anisweep.site import Site


@click.group()
def image() -> None:
    """Images that jobs run in."""


SMALL = click.option(
    "--small/--full", default=None, help="Without torch, or with it.  [default: as condor/site.yaml says]"
)
BASE = click.option(
    "--base", help="An image of a registry, or a local root file system.  [default: as condor/site.yaml says]"
)


@image.command()
@click.argument("recipe", metavar="RECIPE")
@SMALL
@BASE
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with a wheel of anisoap, which otherwise is built.",
)
@click.option("--dry-run", is_flag=True, help="Print the command that builds image.sif, for another machine.")
@plainly
def build(recipe: str, small: bool | None, base: str | None, wheels: Path | None, dry_run: bool) -> None:
    """Build containers/RECIPE.def (cpu or gpu), unless one of this recipe, lock and base is there."""
    project = Project.find()
    wanted = _wanted(project, recipe, small, base)

    if dry_run:
        click.echo(shlex.join(apptainer.build_command(project, wanted, Path("image.sif"), wheels)))
        return

    found = images.find(wanted, images.folder())
    if found:
        click.echo(f"{found.file}: of this recipe, lock and base; nothing to build.")
        return

    size = "0.2 GB in 2 minutes" if wanted.name.endswith("small") else "3 GB in 5 minutes"
    click.echo(f"Building {wanted.name} from {wanted.base} (about {size}), without root.")
    made = apptainer.build(project, wanted, images.folder(), wheels, click.echo)
    click.echo(f"{made.file} ({made.file.stat().st_size / 2**20:.0f} MB)")


@image.command()
@click.argument("recipe", metavar="RECIPE")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@SMALL
@BASE
@plainly
def take(recipe: str, file: Path, small: bool | None, base: str | None) -> None:
    """Move FILE, an image that was built elsewhere, to the others, if it is the one this tree wants."""
    wanted = _wanted(Project.find(), recipe, small, base)
    click.echo(str(apptainer.take(wanted, file, images.folder()).file))


@image.command("test")
@click.argument("recipe", metavar="RECIPE")
@SMALL
@BASE
@plainly
def test_image(recipe: str, small: bool | None, base: str | None) -> None:
    """Run the image's own test as a job sees it: read-only, no home, nothing of this machine."""
    found = _built(_wanted(Project.find(), recipe, small, base))
    click.echo(apptainer.test(found).rstrip())
    click.echo(f"{found.file}: sound.")


@image.command()
@click.argument("recipe", metavar="RECIPE")
@click.argument("staging", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@SMALL
@BASE
@plainly
def push(recipe: str, staging: Path | None, small: bool | None, base: str | None) -> None:
    """Copy the image to STAGING (by default that of condor/site.yaml), and print how jobs name it."""
    project = Project.find()
    found = _built(_wanted(project, recipe, small, base))
    pushed = images.push(found, (staging or Site.read(project).staging_folder).resolve())
    click.echo(images.url(pushed.file))


@image.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--yes", is_flag=True, help="Delete them.")
@plainly
def prune(folder: Path | None, yes: bool) -> None:
    """List the images in FOLDER whose recipe or lock is not this tree's; with --yes delete them."""
    outdated = images.outdated(Project.find(), folder or images.folder())

    for each in outdated:
        click.echo(f"{each.file}  ({each.file.stat().st_size / 2**20:.0f} MB)")
        if yes:
            images.remove(each)

    hint = "" if yes or not outdated else " `anisweep image prune --yes` does it."
    click.echo(f"{'Deleted' if yes else 'Would delete'} {len(outdated)} images.{hint}")


def _wanted(project: Project, recipe: str, small: bool | None, base: str | None) -> Wanted:
    """The image that is asked for; what is not said is the site's choice."""
    site = Site.read(project).image
    if small is None:
        small = site.small and recipe == "cpu"
    return images.wanted(project, recipe, small, base or site.base)


def _built(wanted: Wanted) -> Image:
    found = images.find(wanted, images.folder())
    if found is None:
        raise ConfigError(
            f"No image {wanted.name} of this recipe, lock and base ({wanted.base}) in {images.folder()}.\n"
            "`anisweep image build` with the same options makes it."
        )
    return found
