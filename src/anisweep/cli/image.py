"""Define `anisweep image`: build, test, push and prune images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anisweep.cli.decorators import plainly
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.formatting import counted

if TYPE_CHECKING:
    from anisweep.environments.images import Image, WantedImage


@click.group()
def image() -> None:
    """Manage the images that jobs run in."""


SMALL = click.option(
    "--small/--full",
    default=None,
    help="Build without torch, or with it.  [default: as condor/site.yaml says]",
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
    help="A folder with a wheel of anisoap, which is built otherwise.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print what a build job runs: it builds the image and moves it to staging.",
)
@plainly
def build(recipe: str, small: bool | None, base: str | None, wheels: Path | None, dry_run: bool) -> None:
    """Build containers/RECIPE.def (cpu or gpu), unless one of this recipe, lock and base is there."""
    from anisweep.config.site import Site
    from anisweep.environments import image_builder, images

    project = Project.find()
    wanted = _wanted(project, recipe, small, base)

    if dry_run:
        click.echo(
            image_builder.build_script(project, wanted, Site.read(project).staging_folder, wheels), nl=False
        )
        return

    found = images.find(wanted, images.folder())
    if found:
        click.echo(f"{found.file}: of this recipe, lock and base; nothing to build.")
        return

    size = "0.2 GB in 2 minutes" if wanted.name.endswith("small") else "3 GB in 5 minutes"
    click.echo(f"Building {wanted.name} from {wanted.base} (about {size}), without root.")
    made = image_builder.build(project, wanted, images.folder(), wheels, click.echo)
    click.echo(f"{made.file} ({made.file.stat().st_size / 2**20:.0f} MB)")


@image.command()
@click.argument("recipe", metavar="RECIPE")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@SMALL
@BASE
@plainly
def take(recipe: str, file: Path, small: bool | None, base: str | None) -> None:
    """Move FILE, an image that was built elsewhere, to the others, if it is the one this tree wants."""
    from anisweep.environments import image_builder, images

    wanted = _wanted(Project.find(), recipe, small, base)
    click.echo(str(image_builder.take(wanted, file, images.folder()).file))


@image.command("test")
@click.argument("recipe", metavar="RECIPE")
@SMALL
@BASE
@plainly
def test_image(recipe: str, small: bool | None, base: str | None) -> None:
    """Run the image's own test as a job sees it: read-only, no home, nothing of this machine."""
    from anisweep.environments import image_builder

    found = _built(_wanted(Project.find(), recipe, small, base))
    click.echo(image_builder.test(found).rstrip())
    click.echo(f"{found.file}: sound.")


@image.command()
@click.argument("recipe", metavar="RECIPE")
@click.argument("staging", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@SMALL
@BASE
@plainly
def push(recipe: str, staging: Path | None, small: bool | None, base: str | None) -> None:
    """Copy the image to STAGING (by default that of condor/site.yaml), and print how jobs name it."""
    from anisweep.config.site import Site
    from anisweep.environments import images

    project = Project.find()
    found = _built(_wanted(project, recipe, small, base))
    pushed = images.push(found, (staging or Site.read(project).staging_folder).resolve())
    click.echo(images.url(pushed.file))


@image.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--staging", is_flag=True, help="List your images in the staging folder that no job in the queue uses."
)
@click.option("--yes", is_flag=True, help="Delete them.")
@plainly
def prune(folder: Path | None, staging: bool, yes: bool) -> None:
    """List the images in FOLDER whose recipe or lock file is not this clone's; with --yes delete them."""
    from anisweep.environments import images

    project = Project.find()
    if staging and folder:
        raise UserError(f"{folder}: --staging names a folder, too. Allowed: one of both.")
    found = _unused(project) if staging else images.outdated(project, folder or images.folder())

    for each in found:
        click.echo(f"{each.file}  ({each.file.stat().st_size / 2**20:.0f} MB)")
        if yes:
            images.remove(each)

    command = "anisweep image prune --staging --yes" if staging else "anisweep image prune --yes"
    hint = "" if yes or not found else f" `{command}` does it."
    click.echo(f"{'Deleted' if yes else 'Would delete'} {counted(len(found), 'image')}.{hint}")


def _unused(project: Project) -> list[Image]:
    """Return the user's images in the staging folder that no job in the queue names.

    Those that jobs name are listed as kept.
    """
    from anisweep.cluster.schedd_errors import images_in_queue, troubles_in_words
    from anisweep.config.site import Site
    from anisweep.environments import images

    with troubles_in_words():
        used = images_in_queue()
    folder = Site.read(project).staging_folder
    mine = [each for each in images.built(folder) if each.file.stat().st_uid == os.getuid()]

    for each in mine:
        if each.file.name in used:
            click.echo(f"{each.file}  stays: jobs in the queue run in it.")
    return [each for each in mine if each.file.name not in used]


def _wanted(project: Project, recipe: str, small: bool | None, base: str | None) -> WantedImage:
    """Return the image that is asked for; what is not said is the site's choice."""
    from anisweep.config.site import Site
    from anisweep.environments import images

    site = Site.read(project).image
    if small is None:
        small = site.small and recipe == "cpu"
    return images.wanted(project, recipe, small, base or site.base)


def _built(wanted: WantedImage) -> Image:
    from anisweep.environments import images

    found = images.find(wanted, images.folder())
    if found is None:
        raise UserError(
            f"No image {wanted.name} of this recipe, lock and base ({wanted.base}) in {images.folder()}.\n"
            "`anisweep image build` with the same options makes it."
        )
    return found
