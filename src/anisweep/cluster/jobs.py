"""How packs become jobs of a cluster: image, request, and the code that travels with each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from anisweep import images
from anisweep.cell import Pack
from anisweep.cluster.wheel import write_wheel
from anisweep.config import ConfigError, Project
from anisweep.plan.cost import CostModel
from anisweep.plan.requests import Request, request_of
from anisweep.site import Site
from anisweep.store import write_text

#: What all submit files have in common: the profile's part, and behind it the user's own lines.
COMMON = "condor/chtc/pack.sub"
DESCRIPTION = "results/pack.sub"


@dataclass(frozen=True)
class Jobs:
    """The jobs of a run's packs.

    Attributes
    ----------
    images : the image file by device; ``None`` where it is not there, which stops a submission, not a plan
    """

    project: Project
    site: Site
    model: CostModel
    images: dict[str, Path | None]

    @classmethod
    def of(cls, project: Project, packs: Iterable[Pack], model: CostModel) -> Jobs:
        """What these packs need, found once."""
        site = Site.read(project)
        devices = {_device(pack) for pack in packs}
        return cls(project, site, model, {device: _image(site, project, device) for device in devices})

    @cached_property
    def description(self) -> str:
        """What all submit files have in common."""
        common = (self.project.root / COMMON).read_text()
        lines = {name: value for name, value in self.site.submit.items() if value != ""}
        demanded = next((name for name in lines if name.lower() == "requirements"), None)

        if demanded:  # beside the profile's own, not in their place
            demands = (*_requirements(common), str(lines[demanded]))
            lines[demanded] = " && ".join(f"({one})" if set("|?") & set(one) else one for one in demands)
        if self.site.gpu:
            lines = {"require_gpus": f'DeviceName == "{self.site.gpu}"', **lines}
        own = "".join(f"{name} = {value}\n" for name, value in lines.items())
        return f"{common}\n# --- condor/site.yaml\n{own}"

    @property
    def requirements(self) -> str:
        """What a slot must be, as a ClassAd expression; the line that stands last counts."""
        found = _requirements(self.description)
        return found[-1] if found else ""

    def write_description(self) -> None:
        """Put the description where the profile finds it."""
        write_text(self.project.root / DESCRIPTION, self.description)

    @cached_property
    def wheel(self) -> str:
        """Our code, relative to the project; written when it is first asked for."""
        return write_wheel(self.project)

    def container(self, pack: Pack) -> str:
        """How a submit file names the image of a pack."""
        device = _device(pack)
        file = self.images[device]
        return images.url(file) if file else f"image-for-{device}-is-not-built.sif"

    def request(self, pack: Pack) -> Request:
        """What a pack asks for."""
        file = self.images[_device(pack)]
        return request_of(pack, self.model, file.stat().st_size / 2**20 if file else 0)

    def carried_mb(self, pack: Pack) -> float:
        """What a job of this pack fetches, its image included."""
        file = self.images[_device(pack)]
        return (file.stat().st_size if file else 0) / 2**20


def _requirements(description: str) -> list[str]:
    """The expressions of all such lines."""
    return re.findall(r"^[ \t]*requirements[ \t]*=[ \t]*(\S.*)$", description, re.IGNORECASE | re.MULTILINE)


def _device(pack: Pack) -> str:
    return "cuda" if any(cell.device == "cuda" for cell in pack.cells) else "cpu"


def _image(site: Site, project: Project, device: str) -> Path | None:
    try:
        return site.image_file(project, device)
    except ConfigError:
        return None  # no staging folder: preflight says so
