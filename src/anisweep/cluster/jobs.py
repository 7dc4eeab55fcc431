"""Turn packs into jobs of a cluster: their images, what they request, and the code that is sent with them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from anisweep.cell import Pack
from anisweep.cluster.wheel import write_wheel
from anisweep.config.project import Project
from anisweep.config.site import Site
from anisweep.environments import images
from anisweep.errors import UserError
from anisweep.features.large_output import LARGE
from anisweep.files import write_text
from anisweep.plan.cost import CostModel
from anisweep.plan.pending import pack_file
from anisweep.plan.requests import ResourceRequest, request_of

#: What all submit files have in common: the profile's part, and behind it the user's own lines.
COMMON = "condor/chtc/pack.sub"
DESCRIPTION = "results/pack.sub"

#: An artifact and its logs, with room to spare.
ARTIFACT_MB = 0.5

#: Of machines that have CHTC's staging folders mounted.
HAS_STAGING = "TARGET.HasCHTCStaging == true"


@dataclass(frozen=True)
class Outgoing:
    """Describe a job that is about to go out, whatever it computes.

    Attributes
    ----------
    name : of its output, without the ending
    inputs : what it reads beside the wheel of our code; paths are relative to the project
    output_mb : what comes home
    large_mb : what stays in the site's folder of large outputs
    """

    rule: str
    name: str
    output: str
    log: str
    inputs: tuple[str, ...]
    command: str
    device: str
    request: ResourceRequest
    estimated_s: float
    output_mb: float
    large_mb: float = 0.0


@dataclass(frozen=True)
class Jobs:
    """Describe the jobs of a run's packs.

    Attributes
    ----------
    images : the image file by device; ``None`` where it is not there, which stops a submission, not a plan
    large_outputs : the URL of the folder where they leave their large outputs; empty where they have none
    """

    project: Project
    site: Site
    model: CostModel
    images: dict[str, Path | None]
    large_outputs: str = ""

    @classmethod
    def of(cls, project: Project, packs: Iterable[Pack], model: CostModel) -> Jobs:
        """Return the jobs of these packs, with site and images found once."""
        site = Site.read(project)
        devices = {_device(pack) for pack in packs} or {"cpu"}
        return cls(project, site, model, {device: image_at(site, project, device) for device in devices})

    @cached_property
    def description(self) -> str:
        """Return the lines that all submit files have in common."""
        common = (self.project.root / COMMON).read_text()
        lines = {name: value for name, value in self.site.submit.items() if value != ""}
        demanded = next((name for name in lines if name.lower() == "requirements"), None)
        more = [*([str(lines.pop(demanded))] if demanded else []), *self._staging_demands]

        if more:  # beside the profile's own, not in their place
            demands = (*_requirements(common), *more)
            lines["requirements"] = " && ".join(
                f"({one})" if set("|?") & set(one) else one for one in demands
            )
        if self.site.gpu:
            lines = {"require_gpus": f'DeviceName == "{self.site.gpu}"', **lines}
        if self.large_outputs:
            lines |= {"also_files": f", {LARGE}", "also_remaps": f"; {LARGE} = {self.large_url('$(entry)')}"}
        own = "".join(f"{name} = {value}\n" for name, value in lines.items())
        return f"{common}\n# --- condor/site.yaml\n{own}"

    @property
    def _staging_demands(self) -> list[str]:
        """Return what images and large outputs demand of a slot."""
        files = [file for file in self.images.values() if file]
        mounted = any(images.is_mounted_only(file) for file in files)
        return [HAS_STAGING] if mounted or self.large_outputs.startswith("file:///staging/") else []

    def large_url(self, name: str) -> str:
        """Return where the job of this name leaves its large output."""
        return f"{self.large_outputs}/{name}.npz"

    @property
    def requirements(self) -> str:
        """Return what a slot must be, as a ClassAd expression; the line that stands last counts."""
        found = _requirements(self.description)
        return found[-1] if found else ""

    def write_description(self) -> None:
        """Put the description where the profile finds it."""
        write_text(self.project.root / DESCRIPTION, self.description)

    @cached_property
    def wheel(self) -> str:
        """Return the wheel of our code, relative to the project; write it when it is first asked for."""
        return write_wheel(self.project)

    def outgoing(self, pack: Pack) -> Outgoing:
        """Return the job of a pack, as the rule measure_pack says it; a test holds the two together."""
        plan = pack_file(self.project, pack.name)
        output = f"results/artifacts/{pack.name}.tar.gz"
        log = f"results/logs/{pack.name}.log"

        return Outgoing(
            rule="measure_pack",
            name=pack.name,
            output=output,
            log=log,
            inputs=(plan, *sorted({cell.dataset.path for cell in pack.cells})),
            command=f"anisweep run-pack {shlex.quote(plan)} {shlex.quote(output)} | tee {shlex.quote(log)}",
            device=_device(pack),
            request=self.request(pack),
            estimated_s=pack.estimated_s,
            output_mb=ARTIFACT_MB,
        )

    def container(self, pack: Pack) -> str:
        """Return the name by which a submit file asks for the image of a pack."""
        return self.image(_device(pack))

    def image(self, device: str) -> str:
        """Return the name by which a submit file asks for the image of a device."""
        file = self.images[device]
        return images.url(file) if file else f"image-for-{device}-is-not-built.sif"

    def request(self, pack: Pack) -> ResourceRequest:
        """Return the resources that a pack asks for."""
        return request_of(pack, self.model, self.image_mb(_device(pack)))

    def image_mb(self, device: str) -> float:
        """Return the megabytes of the image of a device; 0 where it is not there."""
        file = self.images[device]
        return (file.stat().st_size if file else 0) / 2**20


def _requirements(description: str) -> list[str]:
    """Return the expressions of all ``requirements`` lines."""
    return re.findall(r"^[ \t]*requirements[ \t]*=[ \t]*(\S.*)$", description, re.IGNORECASE | re.MULTILINE)


def _device(pack: Pack) -> str:
    return "cuda" if any(cell.device == "cuda" for cell in pack.cells) else "cpu"


def image_at(site: Site, project: Project, device: str) -> Path | None:
    """Return the image that jobs run in, as it lies in the staging folder; None when it is not there."""
    try:
        found = images.find(images.wanted_at(site, project, device), site.staging_folder)
    except UserError:
        return None  # no staging folder: preflight says so
    return found.file if found else None
