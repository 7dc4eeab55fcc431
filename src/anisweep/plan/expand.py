"""Expand a study to its cells: every combination of its values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from anisweep import datasets
from anisweep.cell import NOT_PINNED, Cell, Dataset, Hypers, Settings, repeated
from anisweep.config.project import Project
from anisweep.config.sections import DatasetEntry, HyperAxes, Sweep
from anisweep.config.validation_messages import in_yaml
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.frame_checks import USUAL_CUTOFF, check_frame
from anisweep.descriptors import BadInput, hyperparameters
from anisweep.environments.lock import environment_of
from anisweep.errors import UserError
from anisweep.plan.code_digest import code_digest
from anisweep.plan.first_frames import first_frames


class NotGiven(UserError):
    """A file of a study that an environment variable names, which is not set."""


def cells_of(name: str, sweep: Sweep, site: str, project: Project) -> Iterator[Cell]:
    """Yield every point of the study ``name``, replicate by replicate."""
    settings = Settings(**sweep.measure.model_dump())
    hypers = list(dict.fromkeys(point for axes in sweep.hyper_sets for point in hypers_of(axes, name)))
    sets = [
        (dataset, sweep.outputs_of(entry))
        for key, entry in sweep.datasets.items()
        for dataset in datasets_of(name, key, entry, project)
    ]
    _check_images(sweep, max(point.cutoff_radius for point in hypers), project, [each for each, _ in sets])
    environments = {device: environment_of(project, site, device).digest for device in sweep.devices}
    codes = {mode: code_digest(mode) for mode in sweep.modes}
    threads_of = [count if isinstance(count, int) else NOT_PINNED for count in sweep.threads]
    points = list(product(sweep.modes, sweep.precisions, sweep.devices, threads_of))

    first = [
        Cell(
            dataset=dataset,
            hypers=point,
            output=output,
            mode=mode,
            precision=precision,
            device=device,
            threads=threads,
            replicate=1,
            site=site,
            settings=settings,
            environment=environments[device],
            code=codes[mode],
        )
        for (dataset, outputs), point in product(sets, hypers)
        for output, (mode, precision, device, threads) in product(outputs, points)
    ]
    yield from repeated(first, sweep.replicates)


def _check_images(sweep: Sweep, cutoff: float, project: Project, sets: list[Dataset]) -> None:
    """Refuse cells of users' files that are too small for the largest cutoff of a study.

    Reading has refused those that are too small for the usual cutoff, in every frame.
    """
    if cutoff <= USUAL_CUTOFF:
        return

    files = {each.name: each for each in sets if sweep.datasets[each.name].file is not None}
    for dataset in files.values():
        for number, frame in enumerate(first_frames(dataset, project.root)):
            check_frame(frame, Place(str(sweep.datasets[dataset.name].file), number), cutoff)


def hypers_of(axes: HyperAxes, study: str) -> Iterator[Hypers]:
    """Yield the product of all hyperparameters that are lists."""
    given = axes.model_dump()
    values = [value if isinstance(value, list) else [value] for value in given.values()]

    for combination in product(*values):
        hypers = Hypers(**dict(zip(given, combination, strict=True)))

        if isinstance(hypers.max_radial, list):
            hypers = replace(hypers, max_radial=tuple(hypers.max_radial))
        yield _physical(hypers, study)


def _physical(hypers: Hypers, study: str) -> Hypers:
    """Refuse combinations that the equations do not allow."""
    try:
        hyperparameters.width(hypers.radial_basis_name, hypers.radial_gaussian_width)
        hyperparameters.radial_counts(hypers.max_angular, hypers.max_radial)
    except BadInput as refusal:
        where = f"config/studies/{study}.yaml: hypers"
        raise UserError(f"{where}.{in_yaml(refusal)} Correct it there.") from None
    return hypers


def datasets_of(study: str, name: str, entry: DatasetEntry, project: Project) -> list[Dataset]:
    """Return the data set ``name`` of a study by its digest, with each number of frames.

    A user's file is checked and prepared here, before anything is planned.

    Raises
    ------
    NotGiven
        when the file's name has an environment variable that is not set
    """
    if entry.file is None:
        recipe = datasets.generated()[name]
        path = f"data/{name}-{recipe.digest[:12]}.xyz"
        return [Dataset(name, path, recipe.digest, frames or recipe.frames) for frames in entry.frame_counts]

    user = datasets.UserFile(
        project.root / _file_of(study, name, entry.file),
        entry.orientations,
        entry.diameters,
        entry.orientation_order,
        entry.radii,
        entry.format,
    )
    path = f"data/{name}-{user.digest[:12]}.xyz"
    held = datasets.prepare(user, project.root / path).frames

    for frames in entry.frame_counts:
        if frames is not None and frames > held:
            raise UserError(
                f"datasets.{name}.frames: {frames} is not allowed. Allowed: 1 to {held}, the frames of "
                f"{entry.file}. Lower it, or leave it out."
            )
    return [Dataset(name, path, user.digest, frames or held) for frames in entry.frame_counts]


def _file_of(study: str, name: str, file: str) -> Path:
    """Return the file that a study names, with the values of environment variables in it."""
    for variable in re.findall(r"\$\{?(\w+)", file):
        if not os.environ.get(variable):
            raise NotGiven(
                f"config/studies/{study}.yaml: datasets.{name}.file: {file}: the environment variable "
                f"{variable} is not set. Allowed: one that names a place. "
                f"Set it (export {variable}=FOLDER), or leave out the study {study}."
            )
    return Path(os.path.expandvars(file))
