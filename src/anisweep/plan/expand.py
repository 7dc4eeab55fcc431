"""From a study to its cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from anisweep import datasets
from anisweep.cell import NOT_PINNED, Cell, Dataset, Hypers, Settings
from anisweep.config import ConfigError, DatasetEntry, HyperAxes, Project, Sweep
from anisweep.plan.digests import code_digest, environment_of


def cells_of(name: str, sweep: Sweep, site: str, project: Project) -> Iterator[Cell]:
    """Every point of the study ``name``, replicate by replicate."""
    settings = Settings(**sweep.measure.model_dump())
    hypers = list(dict.fromkeys(point for axes in sweep.hyper_sets for point in hypers_of(axes, name)))
    sets = [
        (dataset, entry.outputs)
        for key, entry in sweep.datasets.items()
        for dataset in datasets_of(key, entry, project)
    ]
    environments = {device: environment_of(project, site, device).digest for device in sweep.devices}
    codes = {mode: code_digest(mode) for mode in sweep.modes}
    threads_of = [count if isinstance(count, int) else NOT_PINNED for count in sweep.threads]
    points = list(product(sweep.modes, sweep.precisions, sweep.devices, threads_of))

    for replicate in range(1, sweep.replicates + 1):
        for (dataset, outputs), point in product(sets, hypers):
            for output, (mode, precision, device, threads) in product(outputs or sweep.outputs, points):
                yield Cell(
                    dataset=dataset,
                    hypers=point,
                    output=output,
                    mode=mode,
                    precision=precision,
                    device=device,
                    threads=threads,
                    replicate=replicate,
                    site=site,
                    settings=settings,
                    environment=environments[device],
                    code=codes[mode],
                )


def hypers_of(axes: HyperAxes, study: str) -> Iterator[Hypers]:
    """The product of all hyperparameters that are lists."""
    given = axes.model_dump()
    values = [value if isinstance(value, list) else [value] for value in given.values()]

    for combination in product(*values):
        hypers = Hypers(**dict(zip(given, combination, strict=True)))

        if isinstance(hypers.max_radial, list):
            hypers = replace(hypers, max_radial=tuple(hypers.max_radial))
        yield _physical(hypers, study)


def _physical(hypers: Hypers, study: str) -> Hypers:
    """Combinations that the equations do not allow."""
    where = f"config/studies/{study}.yaml: hypers"
    width = hypers.radial_gaussian_width

    if hypers.radial_basis_name == "gto" and width is None:
        raise ConfigError(
            f"{where}.radial_gaussian_width: None is not allowed with the gto basis. Allowed: a length in "
            "Angstrom, for example 1.5. Correct it there."
        )
    if hypers.radial_basis_name == "monomial" and width is not None:
        raise ConfigError(
            f"{where}.radial_gaussian_width: {width} is not allowed with the monomial basis, which has no "
            "Gaussian. Allowed: null. Write `radial_gaussian_width: null`."
        )

    given = hypers.max_radial
    if isinstance(given, tuple) and len(given) != hypers.max_angular + 1:
        raise ConfigError(
            f"{where}.max_radial: {list(given)} is not allowed. Allowed with max_angular "
            f"{hypers.max_angular}: {hypers.max_angular + 1} numbers, one for each l "
            "from 0. Add the missing ones, or write null."
        )
    return hypers


def datasets_of(name: str, entry: DatasetEntry, project: Project) -> list[Dataset]:
    """The data set by its digest, with each number of frames.

    A user's file is checked and prepared here, before anything is planned.
    """
    if entry.file is None:
        recipe = datasets.generated()[name]
        path = f"data/{name}-{recipe.digest[:12]}.xyz"
        return [Dataset(name, path, recipe.digest, frames or recipe.frames) for frames in entry.frame_counts]

    user = datasets.UserFile(project.root / entry.file, entry.orientations, entry.diameters)
    path = f"data/{name}-{user.digest[:12]}.xyz"
    held = datasets.prepare(user, project.root / path).frames

    for frames in entry.frame_counts:
        if frames is not None and frames > held:
            raise ConfigError(
                f"datasets.{name}.frames: {frames} is not allowed. Allowed: 1 to {held}, the frames of "
                f"{entry.file}. Lower it, or leave it out."
            )
    return [Dataset(name, path, user.digest, frames or held) for frames in entry.frame_counts]
