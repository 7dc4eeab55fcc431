"""Rows that look like those of the study ``first_look``, made by a formula and a seeded generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from anisweep.cell import digest
from anisweep.report.model import Measured
from anisweep.row import Row
from anisweep.tables import PackSource, Platform

HYPERS = {
    "radial_basis_name": "gto",
    "max_angular": 6,
    "max_radial": None,
    "cutoff_radius": 7.0,
    "radial_gaussian_width": 1.5,
    "subtract_center_contribution": False,
    "basis_rcond": 1e-8,
    "basis_tol": 1e-3,
}

#: name: (frames, particles, species, pairs)
DATASETS = {
    "ellipsoids": (50, 82, 1, 668),
    "benzenes": (2, 24, 2, 3491),
    "one_species": (1, 24, 1, 1745),
    "two_species": (1, 24, 2, 1745),
    "three_species": (1, 24, 3, 1745),
    "four_species": (1, 24, 4, 1745),
}

#: mode: (microseconds a pair, share of each stage)
MODES = {
    "numpy_only": (90.0, {"moments": 0.17, "contraction": 0.66, "pair_loop": 0.09}),
    "torch_mixed": (118.0, {"moments": 0.13, "contraction": 0.50, "pair_loop": 0.11, "conv_in": 0.15}),
    "torch_full": (84.0, {"moments": 0.18, "contraction": 0.61, "pair_loop": 0.09, "conv_in": 0.03}),
    "torch_batched": (19.0, {"moments": 0.72, "contraction": 0.08, "pair_loop": 0.03, "conv_in": 0.05}),
}

OTHER_STAGES = {"neighbours": 0.03, "orthonormalise": 0.015, "sum_neighbours": 0.01, "setup": 0.005}

PLATFORM = Platform(
    host="bench-01",
    system="Linux 6.1 x86_64",
    cpu_model="AMD EPYC 7B13",
    cores=2,
    memory_gb=24.0,
    python="3.11.2",
    packages={"anisoap": "0.1.1", "numpy": "2.4.0", "torch": "2.9.1", "featomic": "0.6.5"},
)


UNMEASURED = {"wall_s": None, "max_relative_error": None}


def first_look(replicates: int = 3, noise: float = 0.01, seed: int = 7) -> list[Row]:
    """All cells and references of the study, one pack a data set and replicate, all ``ok``."""
    rng = np.random.default_rng(seed)
    rows = []

    for dataset in DATASETS:
        spectrum = ["power_spectrum"] if DATASETS[dataset][2] == 1 else []

        for replicate in range(replicates):
            pack = f"{dataset}-r{replicate}-{digest([dataset, replicate])[:12]}"
            machine = rng.normal(0.0, 3 * noise)

            for output in ["coefficients", *spectrum]:
                template = _problem(dataset, output, pack, replicate)
                walls = {mode: _wall(mode, output, template, machine, noise, rng) for mode in MODES}
                again = _wall("numpy_only", output, template, machine, noise, rng)

                rows.append(
                    _reference(template, "first reference", walls["numpy_only"] * (1 + rng.normal(0, noise)))
                )
                rows += [_cell(template, mode, wall, k) for k, (mode, wall) in enumerate(walls.items())]
                rows.append(_reference(template, "last reference", again))

    return rows


def with_troubles() -> list[Row]:
    """The same with a wrong mode, a failed and an unavailable one, and a warning."""
    rows = first_look()

    for index, row in enumerate(rows):
        if row.role != "cell":
            continue

        if row.mode == "torch_batched" and row.dataset == "four_species":
            reason = "max relative error 1.0e-06, allowed 1e-10"
            rows[index] = replace(row, status="wrong", reason=reason, max_relative_error=1e-6)

        if row.mode == "torch_mixed" and row.dataset == "benzenes" and row.replicate == 1:
            rows[index] = replace(row, status="failed", reason="MemoryError", **UNMEASURED)

        if row.mode == "torch_full" and row.dataset == "two_species":
            reason = "torch has no CUDA device"
            rows[index] = replace(row, status="unavailable", reason=reason, **UNMEASURED)

        if row.dataset == "ellipsoids":
            row.warnings.append(f"load average 2.{row.replicate} on 2 CPUs: others were computing.")

    return rows


def sources(rows: list[Row]) -> dict[str, PackSource]:
    """An artifact for each pack."""
    return {row.pack: PackSource(f"artifacts/{row.pack}.tar.gz", digest(row.pack), PLATFORM) for row in rows}


def measured(**tables: pd.DataFrame) -> Measured:
    """A study as sections of the report take it: these tables, by name, and the others empty."""
    names = ("cells", "summary", "job_records", "hotspots")
    given = {name: tables.get(name, pd.DataFrame()) for name in names}
    return Measured(name="study", question="How?", platforms={}, missing=[], **given)


def _problem(dataset: str, output: str, pack: str, replicate: int) -> Row:
    frames, particles, species, pairs = DATASETS[dataset]

    return Row(
        pack=pack,
        dataset=dataset,
        dataset_digest=digest(dataset),
        output=output,
        precision="fp64",
        device="cpu",
        threads=1,
        replicate=replicate,
        site="local",
        hypers=HYPERS,
        status="ok",
        frames=frames,
        particles=particles,
        species=species,
        pairs=pairs,
        features=44,
        environment=digest("environment"),
        host="bench-01",
        cpu_model=PLATFORM.cpu_model,
        started="2025-11-20T10:00:00Z",
        dtype="float64",
        bound=1e-10,
        elementwise=True,
        pools={"openblas": 1, "torch": 1},
    )


def _wall(
    mode: str, output: str, problem: Row, machine: float, noise: float, rng: np.random.Generator
) -> float:
    pairs = problem.pairs or 0
    seconds = 1e-6 * MODES[mode][0] * pairs * (1.04 if output == "power_spectrum" else 1.0)
    overhead = 2e-3 * problem.species**0.5
    return float((seconds + overhead) * np.exp(machine + rng.normal(0.0, noise)))


def _reference(problem: Row, role: str, wall: float) -> Row:
    reference = replace(problem, role=role, mode="numpy_only", mode_executed="anisweep.modes.numpy_only")
    return replace(reference, wall_s=wall, max_relative_error=0.0, code=digest("numpy_only"), warnings=[])


def _cell(problem: Row, mode: str, wall: float, order: int) -> Row:
    shares = MODES[mode][1] | OTHER_STAGES
    if problem.output == "power_spectrum":
        shares = shares | {"power_spectrum": 0.01}

    total = sum(shares.values())
    scale = min(1.0, 0.98 / total)
    stages = {name: share * scale * wall for name, share in shares.items()}
    identity = digest([problem.pack, problem.output, mode])

    return replace(
        problem,
        key=identity,
        point=identity,
        order=order + 1,
        mode=mode,
        mode_executed=f"anisweep.modes.{mode}",
        wall_s=wall,
        walls_s=[wall * factor for factor in (0.99, 1.0, 1.01)],
        wall_std_s=0.01 * wall,
        traced_wall_s=wall,
        stages_s=stages,
        counts={"contraction": 7 * (problem.pairs or 0)},
        conv_in_s=stages.get("conv_in", 0.0),
        conv_out_s=0.0,
        unaccounted_s=wall - sum(stages.values()),
        cpu_s=0.98 * wall,
        cpu_utilisation=0.98 - 0.02 * order + 0.001 * problem.replicate,
        peak_memory_mb=12.0,
        resident_mb=700.0,
        blocks_in=0,
        blocks_out=8,
        max_relative_error=0.0 if mode == "numpy_only" else 3e-15 * (1 + order),
        code=digest(mode),
        seconds=8 * wall,
        warnings=[],
    )
