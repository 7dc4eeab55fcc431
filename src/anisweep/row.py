"""The row of a measured cell. Its typed fields are the registry of metrics.

Tables, their documentation (docs/reference/metrics.md) and the report's column heads are made from the
``unit`` and ``meaning`` of each field, so a new metric is one new line here and one assignment in the
worker.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["ok", "wrong", "failed", "stalled", "unavailable"]
Role = Literal["cell", "first anchor", "last anchor"]


def metric(meaning: str, unit: str = "", default: Any = None) -> Any:
    """A field with its meaning and unit. ``None`` means: not measured."""
    description = {"meaning": meaning, "unit": unit}
    if isinstance(default, (list, dict)):
        return field(default_factory=type(default), metadata=description)
    return field(default=default, metadata=description)


@dataclass
class Row:
    """One cell (or anchor) in one process of one pack."""

    # Which cell
    key: str = metric("key of the cell; anchors carry the key of no cell", default="")
    point: str = metric("key without site, environment, code and settings", default="")
    role: Role = metric("cell, first anchor or last anchor", default="cell")
    pack: str = metric("name of the pack, and so of the artifact", default="")
    process: int = metric("number of the fresh interpreter within the pack", default=0)
    order: int = metric("position in the random order of its process", default=0)
    dataset: str = metric("name of the data set", default="")
    dataset_digest: str = metric("digest of the recipe or content of the data set", default="")
    output: str = metric("coefficients or power_spectrum", default="")
    mode: str = metric("mode that was asked for", default="")
    mode_executed: str = metric("module whose code ran", default="")
    precision: str = metric("floating-point format asked for", default="")
    device: str = metric("cpu, cuda or mps", default="")
    threads: int = metric("threads that every pool was pinned to; 0: not pinned", default=1)
    replicate: int = metric("number of the replicate", default=0)
    site: str = metric("where it was measured", default="")
    hypers: dict[str, Any] = metric("hyperparameters", default={})

    # Outcome
    status: Status = metric("ok, wrong, failed, stalled or unavailable", default="failed")
    reason: str = metric("why the status is not ok", default="")
    warnings: list[str] = metric("what could have disturbed the measurement", default=[])

    # Size of the problem
    frames: int = metric("frames in the data set", default=0)
    particles: int = metric("particles in all frames", default=0)
    species: int = metric("number of species", default=0)
    species_products: int = metric(
        "sum of N_a N_b over species a <= b, over all frames: what the study of 2025 divides by", default=0
    )
    pairs: int | None = metric("neighbour pairs within the cutoff, self-pairs included if asked for")
    features: int | None = metric("numbers in the result")

    # Time
    import_s: float | None = metric(
        "import of the mode and of what it needs; what an earlier cell of the process imported costs nothing",
        "s",
    )
    prepare_s: float | None = metric("constructor: bases, tables, contraction tensors", "s")
    first_call_s: float | None = metric("first call: compilation and autotuning included", "s")
    one_off_s: float | None = metric(
        "one call in a fresh interpreter, from its start to its result: imports, constructor, first call", "s"
    )
    wall_s: float | None = metric("median wall time of one call", "s")
    wall_std_s: float | None = metric("standard deviation over the repetitions (ddof 1)", "s")
    walls_s: list[float] = metric("wall time of one call in each repetition", "s", default=[])
    loops: int = metric("calls in one repetition", default=1)
    cpu_s: float | None = metric("CPU time of one call, all threads", "s")
    cpu_utilisation: float | None = metric(
        "CPU time / (wall time x threads); not pinned: x the CPUs that the process may use"
    )
    gpu_utilisation: float | None = metric("share of the time in which the GPU was busy")

    # Where the time goes, from one more call with clocks in it
    traced_wall_s: float | None = metric("wall time of the call with clocks in it", "s")
    stages_s: dict[str, float] = metric("exclusive wall time of each stage", "s", default={})
    conv_in_s: float | None = metric("conversion from NumPy to the mode's own arrays", "s")
    conv_out_s: float | None = metric("conversion back", "s")
    unaccounted_s: float | None = metric("traced wall time that no stage claims", "s")
    counts: dict[str, int] = metric("calls of each stage", default={})

    # Memory
    peak_memory_mb: float | None = metric("largest growth of resident memory during the calls", "MB")

    resident_mb: float | None = metric("resident memory of the whole process at its peak", "MB")
    blocks_in: int | None = metric("blocks read from disk while the cell was measured", "blocks")
    blocks_out: int | None = metric("blocks written to disk while the cell was measured", "blocks")

    # Fidelity, against the anchor of the same problem
    max_relative_error: float | None = metric("max |difference| / max |reference|")
    elementwise: bool | None = metric("whether all elements agree to rtol 1e-6, atol 1e-8")
    bound: float | None = metric("largest max_relative_error that counts as right")
    invariances: dict[str, float] = metric(
        "largest change of the power spectrum, over max |reference|, when everything is turned, ...; it must "
        "feel a turn of the orientations alone",
        default={},
    )
    downstream: dict[str, float] = metric(
        "ridge regression of energies on held-out frames: R², error, and R² with shuffled energies",
        default={},
    )
    shape: list[int] = metric("shape of the flattened result or spectrum", default=[])
    dtype: str = metric("type of the result's numbers", default="")

    # Threads, as the pools themselves report them
    pools: dict[str, Any] = metric("threads of each pool that can be asked", default={})

    # Provenance
    environment: str = metric("digest of the environment", default="")
    code: str = metric("digest of the mode's code", default="")
    host: str = metric("name of the host", default="")
    cpu_model: str = metric("model of the processor", default="")
    load_before: float | None = metric("load average (1 min) before the process", "runnable")
    load_after: float | None = metric("load average (1 min) after the process", "runnable")
    started: str = metric("when it was measured (UTC)", default="")
    seconds: float | None = metric("how long measuring the cell took in all", "s")

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Row:
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in plain.items() if name in known})
