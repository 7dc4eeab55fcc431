"""How packs become jobs of a cluster: image, request, and what travels with each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from anisweep import images
from anisweep.cell import Pack
from anisweep.config import ConfigError, Project
from anisweep.plan.cost import CostModel
from anisweep.plan.requests import Request, request_of
from anisweep.site import Site
from anisweep.wheel import write_wheel


@dataclass(frozen=True)
class Jobs:
    """The jobs of a run's packs on a cluster."""

    project: Project
    site: Site
    model: CostModel

    @classmethod
    def read(cls, project: Project, model: CostModel) -> Jobs:
        return cls(project, Site.read(project), model)

    def container(self, pack: Pack) -> str:
        """How a submit file names the image of a pack. One that is missing stops a submission, not a plan."""
        file = _image_file(self.site, self.project, _device(pack))
        return images.url(file) if file else f"{_device(pack)} image (not built)"

    def request(self, pack: Pack) -> Request:
        """What a pack asks for."""
        file = _image_file(self.site, self.project, _device(pack))
        return request_of(pack, self.model, file.stat().st_size / 2**20 if file else 0)

    @property
    def wheel(self) -> str:
        """Our code, which travels with each job."""
        return _wheel(self.project)


def _device(pack: Pack) -> str:
    return "cuda" if any(cell.device == "cuda" for cell in pack.cells) else "cpu"


@cache
def _image_file(site: Site, project: Project, device: str) -> Path | None:
    try:
        return site.image_file(project, device)
    except ConfigError:
        return None  # no staging folder: preflight says so


@cache
def _wheel(project: Project) -> str:
    return write_wheel(project)
