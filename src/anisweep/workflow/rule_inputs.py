"""Give the rules of the Snakefile their inputs, resources and parameters from the plan."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from anisweep import figures
from anisweep.artifacts.store import Store, measured_elsewhere
from anisweep.cell import digest
from anisweep.plan import pack_file
from anisweep.plan.requests import ResourceRequest, request_of
from anisweep.workflow.run import JUDGED, Run
from anisweep.workflow.studies import brought_job_records, reported_studies


@dataclass(frozen=True)
class RuleInputs:
    """Answer what the rules of one run ask for; paths are relative to the project."""

    run: Run

    def pack(self, name: str) -> str:
        """Return the file of a planned pack.

        For any other name this is a file that nobody can make: a measured artifact thereby has no
        rule, and no trigger of Snakemake can measure it again.
        """
        planned = name in self.run.packs
        return pack_file(self.run.project, name) if planned else f"results/packs/{name} is not planned"

    def data(self, name: str) -> list[str]:
        """Return the data sets that a planned pack reads."""
        if name not in self.run.packs:
            return []
        return sorted({cell.dataset.path for cell in self.run.packs[name].cells})

    def code(self, name: str) -> list[str]:
        """Return the wheel of our code, where a pack takes it along."""
        return [self.run.jobs.wheel] if self.run.jobs and name in self.run.packs else []

    def container(self, name: str) -> str:
        """Return the image that a pack's job runs in; locally only with `--sdm apptainer`."""
        return self.run.jobs.container(self.run.packs[name]) if self.run.jobs else "containers/cpu.sif"

    def request(self, name: str) -> ResourceRequest:
        """Return what a pack needs of a machine."""
        pack = self.run.packs[name]
        return self.run.jobs.request(pack) if self.run.jobs else request_of(pack, self.run.plan.model)

    def threads(self, name: str) -> int:
        """Return the threads of a pack: here all cores, since others beside it would disturb it."""
        return self.request(name).cpus if self.run.jobs else 1000

    def dataset(self, path: str) -> list[str]:
        """Return the inputs of a data set: none for one that is generated, and a prepared one has no rule."""
        planned = any(cell.dataset.path == path for pack in self.run.plan.awaited for cell in pack.cells)
        prepared = (self.run.project.root / path).exists()
        return [] if planned and not prepared else [f"{path} is not planned"]

    def artifacts(self, study: str, targets: Collection[str] = ()) -> list[str]:
        """Return the artifacts that a study's tables rest on, also those to come from this run.

        ``snakemake report`` takes what is there: it measures nothing.
        """
        names = sorted({*self.run.plan.artifacts_of(study), *self._elsewhere[study]})
        if set(targets) == {"report"}:
            names = [name for name in names if name not in self.run.packs]
        return [f"results/artifacts/{name}.tar.gz" for name in names]

    @cached_property
    def _elsewhere(self) -> dict[str, list[str]]:
        """Return the artifacts measured at other sites, by study (cached: several rules need them)."""
        plan = self.run.plan
        store = Store(self.run.project.artifacts, self.run.project.state)
        return {
            study: measured_elsewhere(store, [plan.cells[key] for key in keys])
            for study, keys in plan.studies.items()
        }

    def judged(self) -> list[str]:
        """Return what is always to be done where cells have no measurement: to do nothing is a success."""
        return [JUDGED] if self.run.plan.failed else []

    def tables_digest(self, study: str) -> str:
        """Return a digest of the cells that a study asks for: with others its tables are made again."""
        return digest(sorted(self.run.plan.studies[study]))[:16]

    def brought_job_records(self) -> list[str]:
        """Return the files in which bundles say what a cluster did with their packs."""
        return [os.path.relpath(file) for file in brought_job_records(self.run.project)]

    def old_bundles(self) -> list[str]:
        """Return the table of old bundles, where there is one; the report shows it."""
        folder = self.run.project.bundle_tables
        return self._present(folder / "old_rows.parquet") or self._present(folder / "ingested.parquet")

    def checked_bundles(self) -> list[str]:
        """Return the table of what was checked of bundles, where there were any; claims rest on it."""
        return self._present(self.run.project.bundle_tables / "bundles.csv")

    def _present(self, file: Path) -> list[str]:
        return [os.path.relpath(file)] if file.exists() else []

    def claims(self) -> list[str]:
        """Return the files of claims."""
        return [os.path.relpath(file) for file in self.run.project.claim_files()]

    @cached_property
    def report_studies(self) -> list[str]:
        """Return the studies of the report: those of this run, then those that were run before."""
        before = reported_studies(self.run.project)
        return self.run.studies + [study for study in before if study not in self.run.sweeps]

    @property
    def profiled(self) -> list[str]:
        """Return the studies that profile; they have a table of hotspots and figures of their data sets."""
        return [name for name, sweep in self.run.sweeps.items() if sweep.measure.profile]

    def figures(self, study: str) -> list[str]:
        """Return the figures of a study, by name: those of every study, and those of its profiles."""
        if study not in self.profiled:
            return figures.names()

        sets = {self.run.plan.cells[key].dataset for key in self.run.plan.studies[study]}
        return figures.names(sorted({(each.name, each.frames) for each in sets}))
