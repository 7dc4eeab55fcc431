"""Images of this tree: built on the pool's build node by its ordinary user, kept between pools."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from anisweep import images
from anisweep.config import Project
from condor.pool.describe import USER_ID, Bind
from condor.pool.pool import PROJECT, Pool, PoolError
from condor.pool.rootfs import IMAGE_BASE, cache

#: Where the nodes see the base and the images.
BASE = "/base"
IMAGES = "/images"


def kept() -> Path:
    """Where the images are on the machine."""
    return cache() / "pool-images"


def image_binds() -> tuple[Bind, ...]:
    """What a pool must see to build images and to find them; the base is made if it is not there."""
    kept().mkdir(parents=True, exist_ok=True)
    os.chown(kept(), USER_ID, USER_ID)
    return Bind(IMAGE_BASE.make(), BASE), Bind(kept(), IMAGES, writable=True)


def image_command(pool: Pool, *command: str, folder: str = IMAGES) -> list[str]:
    """`anisweep image COMMAND` of this tree, by the ordinary user on the build node."""
    code = {"ANISWEEP_IMAGES": folder, "PYTHONPATH": f"{PROJECT}/src"}
    return pool.as_user("anisweep", "image", *command, cwd=str(PROJECT), node="build", **code)


def small_image(pool: Pool) -> str:
    """The image of the tests, without torch: see `image_of_the_tree`."""
    return image_of_the_tree(pool, "--small")


def image_of_the_tree(pool: Pool, *options: str) -> str:
    """The path, on the access point, of the CPU image of this tree; built if it is not there.

    Raises
    ------
    PoolError
        when the build fails; what it said has been shown
    """
    small = "--small" in options
    wanted = images.wanted(Project(PROJECT), "cpu", small=small, base=str(IMAGE_BASE.folder))
    build = image_command(pool, "build", "cpu", *options, "--base", BASE)

    if images.find(wanted, kept()) is None:
        subprocess.run(build, stdin=subprocess.DEVNULL, check=False)

    found = images.find(wanted, kept())
    if found is None:
        raise PoolError("The image could not be built; what it said above is the reason.")
    return f"{IMAGES}/{found.file.name}"
