"""Define the row of a measured cell; its typed fields are the columns of the tables, with units and meanings.

Tables, their documentation (docs/reference/metrics.md) and the report's column heads are made from the
``unit`` and ``meaning`` of each field, so a new metric is one new line here and one assignment in the
worker.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from anisweep.cell import Hypers
from anisweep.former_names import ROLES
from anisweep.parsing.schema import Above, Instant, Unfit, Within, Word, build

Status = Literal["ok", "wrong", "failed", "stalled", "unavailable"]
Role = Literal["cell", "first reference", "last reference"]

Count = Annotated[int, Within(0, 2**62)]
Seconds = Annotated[float, Within(0, 1e12)]
Size = Annotated[float, Within(0, 1e300)]


def metric(meaning: str, unit: str = "", default: Any = None) -> Any:
    """Declare a field with its meaning and unit; the value ``None`` means that it was not measured."""
    description = {"meaning": meaning, "unit": unit}
    if isinstance(default, (list, dict)):
        return field(default_factory=type(default), metadata=description)
    return field(default=default, metadata=description)


@dataclass
class Row:
    """Record one measurement: a cell, or the reference, in one process of one pack."""

    #: What every row has had from the first; what else is missing was not measured yet.
    NEEDED: ClassVar = frozenset(
        {"key", "point", "role", "pack", "process", "dataset", "output", "mode", "precision", "device"}
        | {"threads", "replicate", "site", "hypers", "status", "frames", "environment", "code"}
    )

    # Which cell
    key: Word = metric("key of the cell; references carry the key of no cell", default="")
    point: Word = metric("key without site, environment, code and settings", default="")
    role: Role = metric("cell, first reference or last reference", default="cell")
    pack: Word = metric("name of the pack, and so of the artifact", default="")
    process: Count = metric("number of the fresh interpreter within the pack", default=0)
    order: Count = metric("position in the random order of its process", default=0)
    dataset: Word = metric("name of the data set", default="")
    dataset_digest: Word = metric("digest of the recipe or content of the data set", default="")
    output: Word = metric("coefficients, power_spectrum, or the name of a task", default="")
    mode: Word = metric("mode that was asked for", default="")
    mode_executed: Word = metric("module whose code ran", default="")
    precision: Word = metric("floating-point format asked for", default="")
    device: Word = metric("cpu, cuda or mps", default="")
    threads: Count = metric("threads that every pool was pinned to; 0: not pinned", default=1)
    replicate: Count = metric("number of the replicate", default=0)
    site: Word = metric("where it was measured", default="")
    hypers: dict[str, Any] = metric("hyperparameters", default={})

    # Outcome
    status: Status = metric("ok, wrong, failed, stalled or unavailable", default="failed")
    reason: str = metric("why the status is not ok", default="")
    warnings: list[str] = metric("what could have disturbed the measurement", default=[])

    # Size of the problem
    frames: Count = metric("frames in the data set", default=0)
    particles: Count = metric("particles in all frames", default=0)
    species: Count = metric("number of species", default=0)
    species_products: Count = metric(
        "sum of N_a N_b over species a <= b, over all frames: what the study of 2025 divides by", default=0
    )
    pairs: Count | None = metric("neighbour pairs within the cutoff, self-pairs included if asked for")
    features: Count | None = metric("numbers in the result")

    # Time
    import_s: Seconds | None = metric(
        "import of the mode and of what it needs; what an earlier cell of the process imported costs nothing",
        "s",
    )
    prepare_s: Seconds | None = metric("constructor: bases, tables, contraction tensors", "s")
    first_call_s: Seconds | None = metric("first call: compilation and autotuning included", "s")
    one_off_s: Seconds | None = metric(
        "one call in a fresh interpreter, from its start to its result: imports, constructor, first call", "s"
    )
    wall_s: Annotated[float, Above(0, 1e12)] | None = metric("median wall time of one call", "s")
    wall_std_s: Seconds | None = metric("standard deviation over the repetitions (ddof 1)", "s")
    walls_s: list[Seconds] = metric("wall time of one call in each repetition", "s", default=[])
    loops: Count = metric("calls in one repetition", default=1)
    cpu_s: Seconds | None = metric("CPU time of one call, all threads", "s")
    cpu_utilisation: Size | None = metric(
        "CPU time / (wall time x threads); not pinned: x the CPUs that the process may use"
    )
    gpu_utilisation: Size | None = metric("share of the time in which the GPU was busy")

    # Where the time goes, from one more call with clocks in it
    traced_wall_s: Seconds | None = metric("wall time of the call with clocks in it", "s")
    stages_s: dict[Word, Seconds] = metric("exclusive wall time of each stage", "s", default={})
    conv_in_s: Seconds | None = metric("conversion from NumPy to the mode's own arrays", "s")
    conv_out_s: Seconds | None = metric("conversion back", "s")
    unaccounted_s: float | None = metric("traced wall time that no stage claims", "s")
    counts: dict[Word, Count] = metric("calls of each stage", default={})

    # Memory
    peak_memory_mb: Size | None = metric("largest growth of resident memory during the calls", "MB")

    resident_mb: Size | None = metric("resident memory of the whole process at its peak", "MB")
    blocks_in: Count | None = metric("blocks read from disk while the cell was measured", "blocks")
    blocks_out: Count | None = metric("blocks written to disk while the cell was measured", "blocks")

    # Fidelity, against the reference of the same problem
    max_relative_error: Size | None = metric("max |difference| / max |reference|")
    elementwise: bool | None = metric("whether all elements agree to rtol 1e-6, atol 1e-8")
    bound: Size | None = metric("largest max_relative_error that counts as right")
    invariances: dict[Word, float] = metric(
        "largest change of the power spectrum, over max |reference|, when everything is turned, ...; it must "
        "feel a turn of the orientations alone",
        default={},
    )
    downstream: dict[Word, float] = metric(
        "ridge regression of energies on held-out frames: R², error, and R² with shuffled energies",
        default={},
    )
    results: dict[Word, float] = metric("what a task found besides its times", default={})
    shape: list[Count] = metric("shape of the flattened result or spectrum", default=[])
    dtype: Word = metric("type of the result's numbers", default="")

    # Threads, as the pools themselves report them
    pools: dict[Word, Any] = metric("threads of each pool that can be asked", default={})

    # Provenance
    environment: Word = metric("digest of the environment", default="")
    code: Word = metric("digest of the mode's code", default="")
    host: Word = metric("name of the host", default="")
    cpu_model: Word = metric("model of the processor", default="")
    load_before: Size | None = metric("load average (1 min) before the process", "runnable")
    load_after: Size | None = metric("load average (1 min) after the process", "runnable")
    started: Annotated[str, Instant()] = metric("when it was measured (UTC)", default="")
    seconds: Seconds | None = metric("how long measuring the cell took in all", "s")

    def to_plain(self) -> dict[str, Any]:
        """Return the row as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Any) -> Row:
        """Return the row that `to_plain` made plain, without metrics that only another version knows.

        Raises
        ------
        Unfit
            naming the metric that does not fit
        """
        row = build(cls, _with_new_role(plain))
        try:
            build(Hypers, row.hypers)
        except Unfit as unfit:
            raise unfit.below("hypers") from None
        return row


def _with_new_role(plain: Any) -> Any:
    """Return a row by the names that roles have now, where the former version wrote it."""
    role = plain.get("role") if isinstance(plain, dict) else None
    return {**plain, "role": ROLES[role]} if isinstance(role, str) and role in ROLES else plain
