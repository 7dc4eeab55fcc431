"""What the Snakefile needs of a run: the plan, frozen, as the inputs of rules; its first and last words."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from anisweep import controller, datasets
from anisweep.cell import Pack, digest
from anisweep.cluster.arrivals import take_home
from anisweep.cluster.jobs import Jobs
from anisweep.config import Config, ConfigError, Project, Sweep, load_config
from anisweep.failures import EXPECTED, message
from anisweep.plan import Plan, make_plan, pack_file, write_packs
from anisweep.plan.requests import Request, request_of
from anisweep.plan.text import duration
from anisweep.preflight import pass_or_stop
from anisweep.profiled import profile_figures
from anisweep.site import LOCAL
from anisweep.store import Store, measured_elsewhere, remove_leftovers, restore_kept, write_json
from anisweep.studies import study_tables

PACKAGE = Path(__file__).parent

#: Tables that the report reads. A study of an earlier version that lacks one is left out until it runs again.
REPORTED = ("cells.parquet", "summary.parquet", "journeys.parquet", "platforms.json", "missing.json")


@dataclass(frozen=True)
class Run:
    """One reading of the Snakefile."""

    project: Project
    overrides: dict[str, Any]
    config: Config
    sweeps: dict[str, Sweep]
    plan: Plan
    packs: dict[str, Pack]
    jobs: Jobs | None  # on a cluster

    @classmethod
    def read(cls, overrides: dict[str, Any]) -> Run:
        """Configuration and plan, frozen from here on. Wrong input ends the program with its message."""
        with _troubles_in_words():
            project = Project.find()
            given = _typed(overrides)
            config, sweeps = load_config(project, given)
            take_home(project)
            plan = make_plan(project, config, sweeps)
            write_packs(project, plan.packs)
            jobs = None if config.site == LOCAL else Jobs.of(project, plan.awaited, plan.model)
            if jobs:
                jobs.write_description()

        # The packs of this run watch this process, and end when it does.
        os.environ["ANISWEEP_CONTROLLER"] = str(os.getpid())
        return cls(project, given, config, sweeps, plan, {pack.name: pack for pack in plan.awaited}, jobs)

    @property
    def studies(self) -> list[str]:
        return list(self.sweeps)

    @property
    def report_studies(self) -> list[str]:
        """The studies of the report: those of this run, then those that were run before."""
        before = [
            folder.parent.name
            for folder in study_tables(self.project)
            if all((folder / table).exists() for table in REPORTED)
        ]
        return self.studies + [study for study in before if study not in self.sweeps]

    @property
    def claims(self) -> list[str]:
        """The files of claims."""
        return [os.path.relpath(file) for file in self.project.claim_files()]

    def pack_input(self, name: str) -> str:
        """The file of a planned pack.

        For any other name this is a file that nobody can make: a measured artifact thereby has no
        rule, and no trigger of Snakemake can measure it again.
        """
        return pack_file(self.project, name) if name in self.packs else f"results/packs/{name} is not planned"

    def data_inputs(self, name: str) -> list[str]:
        """The data sets that a planned pack reads."""
        return sorted({cell.dataset.path for cell in self.packs[name].cells} if name in self.packs else ())

    def code_inputs(self, name: str) -> list[str]:
        """Our code, where a pack takes it along."""
        return [self.jobs.wheel] if self.jobs and name in self.packs else []

    def container(self, name: str) -> str:
        """The image that a pack's job runs in; locally only with `--sdm apptainer`."""
        return self.jobs.container(self.packs[name]) if self.jobs else "containers/cpu.sif"

    def request(self, name: str) -> Request:
        """What a pack needs of a machine."""
        if self.jobs is None:
            return request_of(self.packs[name], self.plan.model)
        return self.jobs.request(self.packs[name])

    def threads(self, name: str) -> int:
        """On this machine all cores, since whatever runs beside a measurement disturbs it."""
        return self.request(name).cpus if self.jobs else 1000

    def dataset_inputs(self, path: str) -> list[str]:
        """A generated data set is made from nothing, once; a prepared one has no rule."""
        planned = any(cell.dataset.path == path for pack in self.plan.awaited for cell in pack.cells)
        return [] if planned and not (self.project.root / path).exists() else [f"{path} is not planned"]

    def artifacts(self, study: str, targets: Collection[str] = ()) -> list[str]:
        """The artifacts that a study's tables rest on, there or to come; of other sites, what is there.

        ``snakemake report`` takes what is there: it measures nothing.
        """
        names = sorted({*self.plan.artifacts_of(study), *self._elsewhere[study]})
        if set(targets) == {"report"}:
            names = [name for name in names if name not in self.packs]
        return [f"results/artifacts/{name}.tar.gz" for name in names]

    @cached_property
    def _elsewhere(self) -> dict[str, list[str]]:
        """Of each study the artifacts of other sites: found once, for several rules ask."""
        store = Store(self.project.artifacts, self.project.state)
        return {
            study: measured_elsewhere(store, [self.plan.cells[key] for key in keys])
            for study, keys in self.plan.studies.items()
        }

    def brought_journeys(self) -> list[str]:
        """What bundles say that a cluster did with their packs."""
        return sorted(os.path.relpath(file) for file in self.project.results.glob("*/journeys/*.csv"))

    def ingested(self) -> list[str]:
        """The table of old bundles, where there is one; the report shows it."""
        file = "results/tables/ingested.parquet"
        return [file] if (self.project.root / file).exists() else []

    def bundles(self) -> list[str]:
        """What was checked of bundles, where there were any; claims rest on it."""
        file = "results/tables/bundles.csv"
        return [file] if (self.project.root / file).exists() else []

    @property
    def profiled(self) -> list[str]:
        """The studies that profile; they have a table of hotspots and figures of their data sets."""
        return [name for name, sweep in self.sweeps.items() if sweep.measure.profile]

    def figures(self, study: str) -> list[str]:
        """The figures of a study, by name: those of every study, and those of its profiles."""
        if study not in self.profiled:
            return figure_names()

        sets = {self.plan.cells[key].dataset for key in self.plan.studies[study]}
        return figure_names() + sorted(
            name for each in sets for name in profile_figures(each.name, each.frames)
        )

    def tables_digest(self, study: str) -> str:
        """Changes when a study asks for other cells, so that its tables are made again."""
        return digest(sorted(self.plan.studies[study]))[:16]

    def start(self, packs: Sequence[Pack] | None = None) -> None:
        """Become the controller and write down what this run works on, for the programs of its rules.

        Parameters
        ----------
        packs : what goes out; all that the plan holds when left out
        """
        with _troubles_in_words():
            controller.hold(self.project, list(self.packs))
            self.check(self.plan.packs if packs is None else packs)
            remove_leftovers(self.project.artifacts)
            self._write_down()

    def check(self, packs: Sequence[Pack]) -> None:
        """On a cluster: what would go wrong there, before anything goes out."""
        if self.jobs:
            pass_or_stop(self.jobs, packs)

    def _write_down(self) -> None:
        """The resolved configuration and the cells of each study."""
        for study, sweep in self.sweeps.items():
            folder = self.project.results / study
            folder.mkdir(parents=True, exist_ok=True)
            resolved = {
                **self.config.model_dump(mode="json"),
                **sweep.model_dump(mode="json"),
                "study": study,
            }
            (folder / "configuration.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False))
            write_json(folder / "overrides.json", self.overrides)
            write_json(
                folder / "cells.json", [asdict(self.plan.cells[key]) for key in self.plan.studies[study]]
            )

    def opening(self) -> str:
        """How many cells are there, how many are to be measured, and how long that takes."""
        plan = self.plan
        if plan.running and plan.in_flight:
            return f"{len(plan.cells)} cells; another run (pid {plan.running.pid}) is measuring some of them."
        if not plan.awaited:
            return f"{len(plan.cells)} cells, all measured: nothing to measure. See results/report.html."

        said = [f"{len(plan.cells)} cells, {len(plan.measured)} measured"]
        if plan.attached:
            said.append(f"waiting for {len(plan.attached)} packs that are under way")
        if plan.packs:
            said.append(
                f"{len(plan.to_measure)} to measure in {len(plan.packs)} packs, "
                f"about {duration(plan.estimated_s)}. `anisweep plan` says why."
            )
        return "; ".join(said)

    def failed(self) -> str:
        """What to do when something went wrong."""
        restore_kept(self.project.artifacts)
        return (
            "\nNot everything could be made. What was measured is kept; the messages above say why.\n"
            "Then run the same command again: it goes on where this one stopped."
        )

    def closing(self) -> str:
        """The answer, where everything lies, how large it is, and what to do next."""
        from anisweep import report

        restore_kept(self.project.artifacts)
        store = Store(self.project.artifacts, self.project.state)
        size = sum(entry.size for entry in store.entries())
        folders = [self.project.results / study / "tables" for study in self.studies]
        made = [folder for folder in folders if (folder / "summary.parquet").exists()]  # not by `measure`
        lines = [*map(report.answer_of, made), ""]

        if made:
            study = made[0].parent.name
            lines.append("report     results/report.html")
            lines.append(f"tables     results/{study}/tables/    figures  results/{study}/figures/")

        lines.append(f"artifacts  results/artifacts/ ({size / 2**20:.1f} MB)")
        lines.append(
            f"next       anisweep plan study={self.studies[0]} | anisweep show ARTIFACT | "
            "anisweep inspect YOUR_FILE.xyz"
        )
        return "\n".join(["", *lines])


def _typed(value: Any) -> Any:
    """Numbers and truths that Snakemake leaves as text where they stand inside braces of ``--config``."""
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]

    if not isinstance(value, str):
        return value

    with suppress(yaml.YAMLError):
        read = yaml.safe_load(value)
        return read if read is None or isinstance(read, bool | int | float) else value
    return value


@contextmanager
def _troubles_in_words() -> Iterator[None]:
    """Wrong input, another run and a disk that refuses end the program with their message."""
    try:
        yield
    except EXPECTED as error:
        raise SystemExit(f"\n{message(error)}\n") from None


def figure_names() -> list[str]:
    """The figures by their files; importing them would import matplotlib."""
    return sorted(path.stem for path in (PACKAGE / "figures").glob("[!_]*.py"))


def modules(*folders: str) -> list[str]:
    """Source files that a rule runs, as its inputs, so that a change of them makes its outputs again."""
    found = [file for folder in folders for file in sorted(PACKAGE.glob(folder))]
    return [os.path.relpath(file) for file in found]


def packs_left(project: Project) -> str:
    """How many packs of the run that goes on are still to come, and for how long."""
    running = controller.holder(project)
    names = running.packs if running else ()
    left = [name for name in names if not (project.artifacts / f"{name}.tar.gz").exists()]
    packs = [Pack.from_json((project.root / pack_file(project, name)).read_text()) for name in left]
    seconds = sum(pack.estimated_s for pack in packs)
    return f"{len(packs)} of {len(names)} packs left, about {duration(seconds)}" if packs else ""


def prepare_dataset(project: Project, path: Path) -> str:
    """Write the generated data set that a path names, and say what it holds."""
    for name, recipe in datasets.generated().items():
        if path.name == f"{name}-{recipe.digest[:12]}.xyz":
            made = datasets.prepare(recipe, project.root / path)
            return f"{path}: {made.frames} frames, {made.particles} particles, {len(made.species)} species"

    raise ConfigError(f"{path}: no generated data set has this name and digest. `anisweep plan` names them.")
