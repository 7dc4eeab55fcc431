"""A cluster, as its user describes it: condor/site.yaml, the one file that is filled in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from anisweep import images
from anisweep.config import ConfigError, Project, Section, read_yaml, validated

#: What a run on this machine calls its site; every other name is a cluster's.
LOCAL = "local"

#: Commands that each batch has its own values for.
PLANNED = {
    *("universe", "container_image", "executable", "arguments", "initialdir", "log", "output", "error"),
    *("request_cpus", "request_memory", "request_disk", "request_gpus", "allowed_execute_duration"),
    *("transfer_input_files", "transfer_output_files", "transfer_output_remaps", "queue"),
}

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

    @field_validator("submit")
    @classmethod
    def _left_to_the_plan(cls, lines: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        taken = sorted(name for name in lines if name.lower() in PLANNED)
        if taken:
            raise ValueError(
                f"{', '.join(taken)}: set by the plan for each pack. Allowed: any other submit command. "
                "Remove it; more memory is asked for by itself after a hold."
            )
        return lines

    @classmethod
    def read(cls, project: Project) -> Site:
        """condor/site.yaml.

        Raises
        ------
        ConfigError
            naming the key, what came and what is allowed
        """
        return validated(cls, read_yaml(project.root / FILE), str(FILE))

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
