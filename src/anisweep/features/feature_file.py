"""Read ``config/features/NAME.yaml``, and write a first one for a file."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from anisweep.config.load import merged, read_yaml
from anisweep.config.project import Project
from anisweep.config.validation_messages import not_among
from anisweep.datasets import Inspection, inspect
from anisweep.datasets.species import name_from_yaml
from anisweep.datasets.user_files.study_template import reading_lines
from anisweep.describe.first_pass import survey
from anisweep.descriptors.kernels import loader
from anisweep.errors import UserError
from anisweep.features.job import FeatureFile
from anisweep.models.settings import FitSettings
from anisweep.parsing.schema import build

#: Frames that stand for all where arrays are looked for; each shard checks its own.
LOOKED_AT = 1000

TEMPLATE = """\
# Features of {file}, computed by many jobs: snakemake --profile local features --config features={name}
# What begins with GUESS was guessed from the file: look at it before you run.

file: {file_text}  # XYZ, compressed or not; [one.xyz, another.xyz] for several, one after the other
output: results/features/{name}/features.npz  # .npz, .mts, or with `fit:` MODEL.json
{reading}

hypers: {{radial_basis_name: gto, max_angular: 6, cutoff_radius: {cutoff:.6}, radial_gaussian_width: 1.5}}
# compute: coefficients  # instead of power spectra
# average: true  # one row for each frame, the mean over its particles
# pairs: [[C, H]]  # only the columns of these species

target_minutes: 10  # about so long a job lasts; another number cuts the file anew
instruction_set: {level}  # for all jobs, so that no bit depends on a machine: portable, avx2 or avx512

# With this a model is fitted in place of writing features; the keys are those of FitSettings.
# fit: {{alpha: 1.0e-6, features: power_spectrum, unit: eV, weights: {{energies: 1.0, forces: 1.0}}}}
# labels: {{energies: energy, forces: forces}}  # names in the file; without them the usual ones
"""


def looked_at(file: Path) -> tuple[Inspection, int]:
    """Return what the first frames of a file seem to be, with the species of all, and how many these are."""
    found = inspect(file, most=LOOKED_AT)
    whole = survey(file)
    species = {name: found.species.get(name, 0) for name in sorted(whole.names.tolist())}
    return replace(found, species=species), len(whole.counts)


def new_features(name: str, inspection: Inspection) -> str:
    """Return ``config/features/NAME.yaml`` for a file, with what its arrays seem to be."""
    return TEMPLATE.format(
        name=name,
        file=inspection.file,
        file_text=json.dumps(str(inspection.file)),
        reading=textwrap.dedent(reading_lines(inspection)),
        cutoff=float(inspection.cutoff),
        level=loader.compiled_levels()[:2][-1],
    )


def feature_file(project: Project, name: str) -> FeatureFile:
    """Return what the file of a name asks for; the error names the key, what came and what is allowed."""
    path = project.features_file(name)
    if not path.is_file():
        known = sorted(each.stem for each in path.parent.glob("*.yaml")) or ["none yet"]
        raise UserError(
            f"features: {not_among(name, known, 'file in config/features')}\n"
            f"It would be {path}; `anisweep features new {name} FILE` writes it."
        )

    try:
        asked = _asked(read_yaml(path))
        if not asked.files or any(len(pair) != 2 for pair in asked.pairs):
            raise ValueError("`file` names at least one file, and each of `pairs` two species")
        asked.request(path).projection(threads=1)
    except ValueError as error:
        raise UserError(f"{path}: {error}. Correct it there.") from error
    return asked


def _asked(given: dict[str, Any]) -> FeatureFile:
    """Return plain values as they are meant, with defaults for the keys that are left out."""
    defaults = asdict(FeatureFile(file="", output="", fit=FitSettings()))
    for needed in ("file", "output", *([] if isinstance(given.get("fit"), dict) else ["fit"])):
        del defaults[needed]

    plain = {"fit": None, **merged(defaults, given)}
    if isinstance(plain["diameters"], dict):
        plain["diameters"] = {name_from_yaml(key): value for key, value in plain["diameters"].items()}
    return build(FeatureFile, plain)
