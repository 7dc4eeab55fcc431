"""A cluster, as its user describes it: condor/site.yaml, the one file that is filled in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from anisweep import images
from anisweep.config import ConfigError, Project, Section, read_yaml, validated

#: What a run on this machine calls its site; every other name is a cluster's.
LOCAL = "local"

FILE = Path("condor") / "site.yaml"


class SiteImage(Section):
    """Which image jobs run in; `anisweep image build` takes the same options."""

    small: Annotated[bool, Field(description="without torch, for studies whose modes need none")] = False
    base: Annotated[str, Field(description="an image of a registry, or a root file system")] = (
        images.DEFAULT_BASE
    )


class Site(Section):
    """The access point and its pool, as far as the user has to say."""

    netid: Annotated[str, Field(description="your user name there")] = ""
    email: Annotated[str, Field(description="told when a controller job ends; may stay empty")] = ""
    staging: Annotated[str, Field(description="the folder of images, which jobs fetch them from")] = (
        "$STAGING"
    )
    image: SiteImage = SiteImage()
    gpu: Annotated[str, Field(description="DeviceName that GPU cells are pinned to; empty takes any")] = ""
    submit: dict[str, str | int | bool] = Field({}, description="more lines for every submit file")

    @classmethod
    def read(cls, project: Project) -> Site:
        """condor/site.yaml.

        Raises
        ------
        ConfigError
            naming the key, what came and what is allowed
        """
        return validated(cls, read_yaml(project.root / FILE), str(FILE))

    def lines(self) -> str:
        """The user's own lines of every submit file; they win over the profile's."""
        pinned = {"require_gpus": f'DeviceName == "{self.gpu}"'} if self.gpu else {}
        return "".join(f"{name} = {value}\n" for name, value in (pinned | self.submit).items())

    @property
    def staging_folder(self) -> Path:
        """Where images lie.

        Raises
        ------
        ConfigError
            when the variable in it is not set
        """
        path = os.path.expandvars(self.staging)

        if "$" in path or not path:
            raise ConfigError(
                f"{FILE}: staging: {self.staging} is not set here. Allowed: a folder that jobs fetch images "
                "from, at CHTC /staging/n/netid. Write it there, or export the variable."
            )
        return Path(path)

    def wanted_image(self, project: Project, device: str = "cpu") -> images.Wanted:
        """The image that this tree's jobs run in on a device."""
        recipe = "gpu" if device == "cuda" else "cpu"
        return images.wanted(project, recipe, self.image.small and recipe == "cpu", self.image.base)

    def image_file(self, project: Project, device: str = "cpu") -> Path | None:
        """That image in the staging folder, if it is there."""
        found = images.find(self.wanted_image(project, device), self.staging_folder)
        return found.file if found else None
