"""Join what shares of the frames say into a model: ``anisweep merge``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from anisweep.datasets.errors import DataError
from anisweep.describe.merge import check_names, in_order
from anisweep.describe.provenance import as_text
from anisweep.fitting import summed_file
from anisweep.fitting.run import Fitted, check_output, write_model


def merge(shards: Sequence[Path], output: Path) -> Fitted:
    """Write the model of all shards, added from the first to the last in whatever order they are named.

    Raises
    ------
    DataError
        When a shard is missing, there twice, damaged, or of another run than the others.
    """
    check_output(output, sharded=False)
    check_names(shards, output)
    read = {path: summed_file.read(path) for path in shards}
    order, origin = in_order(shards, [read[path].provenance for path in shards])

    summed = replace(read[order[0]], provenance=as_text(origin))
    for path in order[1:]:
        if read[path].species.tolist() != summed.species.tolist():
            came = "its species differ from those of the first shard"
            raise DataError(str(path), came, "shards of one run", "make this shard again")
        summed.equations.join(read[path].equations)
        summed = replace(summed, note=summed.note or read[path].note)
    return write_model(summed, output)
