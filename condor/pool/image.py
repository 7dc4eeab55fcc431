"""Build images of this tree on the pool's build node, by its ordinary user, and keep them between pools."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from anisweep.config.project import Project
from anisweep.environments import images
from condor.pool.cache import alone, cache
from condor.pool.nodes import USER_ID, Bind
from condor.pool.pool import PROJECT, Pool, PoolError
from condor.pool.rootfs import IMAGE_BASE

#: Where the nodes see the base and the images.
BASE = "/base"
IMAGES = "/images"


def kept() -> Path:
    """Return the folder of the images on the machine."""
    return cache() / "pool-images"


def image_binds() -> tuple[Bind, ...]:
    """Return what a pool must see to build and find images; the base is made if it is not there."""
    kept().mkdir(parents=True, exist_ok=True)
    os.chown(kept(), USER_ID, USER_ID)
    return Bind(IMAGE_BASE.make(), BASE), Bind(kept(), IMAGES, writable=True)


def image_command(pool: Pool, *command: str, folder: str = IMAGES) -> list[str]:
    """Return the command `anisweep image COMMAND` of this tree, by the ordinary user on the build node."""
    code = {"ANISWEEP_IMAGES": folder, "PYTHONPATH": f"{PROJECT}/src"}
    return pool.as_user("anisweep", "image", *command, cwd=str(PROJECT), node="build", **code)


def small_image(pool: Pool) -> str:
    """Return the image of the tests, without torch: see `image_of_the_tree`."""
    return image_of_the_tree(pool, "--small")


def image_of_the_tree(pool: Pool, *options: str) -> str:
    """Return the path of the CPU image of this tree on the access point; build it if it is not there.

    Raises
    ------
    PoolError
        when the build fails; what it said has been shown
    """
    small = "--small" in options
    wanted = images.wanted(Project(PROJECT), "cpu", small=small, base=str(IMAGE_BASE.folder))
    build = image_command(pool, "build", "cpu", *options, "--base", BASE)

    with alone(wanted.name):
        if images.find(wanted, kept()) is None:
            subprocess.run(build, stdin=subprocess.DEVNULL, check=False)
        found = images.find(wanted, kept())

    if found is None:
        raise PoolError("The image could not be built; what it said above is the reason.")
    return f"{IMAGES}/{found.file.name}"
