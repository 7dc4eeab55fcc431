"""Join what shares of the frames say into a model: ``anisweep merge``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from anisweep.datasets.errors import DataError
from anisweep.describe.merge import check_names, in_order
from anisweep.describe.provenance import as_text
from anisweep.fitting import summed_file
from anisweep.fitting.run import Fitted, check_output, write_model
from anisweep.fitting.summed_file import SummedFrames


def merge(shards: Sequence[Path], output: Path) -> Fitted:
    """Write the model of all shards, added from the first to the last in whatever order they are named.

    Raises
    ------
    DataError
        When a shard is missing, there twice, damaged, or of another run than the others.
    """
    check_output(output, sharded=False)
    check_names(shards, output)
    order, origin = in_order(shards, [summed_file.read(path).provenance for path in shards])

    return write_model(replace(added(order), provenance=as_text(origin)), output)


def added(shards: Iterable[Path]) -> SummedFrames:
    """Add what shares say, from the first to the last; two at a time are in memory."""
    first, *others = shards
    summed = summed_file.read(first)
    for path in others:
        more = summed_file.read(path)
        if more.species.tolist() != summed.species.tolist():
            came = "its species differ from those of the first shard"
            raise DataError(str(path), came, "shards of one run", "make this shard again")
        summed.equations.join(more.equations)
        summed = replace(summed, note=summed.note or more.note)
    return summed
