"""Join shards into the features of the whole, or into the model that they are sums for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from anisweep.describe import format_npz
from anisweep.describe.content import joined
from anisweep.describe.merge import check_columns
from anisweep.describe.output import new_file, writer
from anisweep.describe.provenance import as_text
from anisweep.features.large_output import content_of
from anisweep.features.shards import FeaturePlan
from anisweep.files import sha256_of
from anisweep.fitting import Fitted
from anisweep.fitting.merge import added
from anisweep.fitting.run import check_output, write_model

#: What a shard says of itself alone.
OF_A_SHARD = ("host", "piece", "sha256")


def merge_features(plan: FeaturePlan, output: Path) -> tuple[int, int]:
    """Write the features of all shards, a few rows at a time, and return how many rows and columns."""
    write = writer(output)
    paths = _paths(plan)
    read = {path: format_npz.read(path) for path in paths}
    check_columns(read)

    pairs = zip(plan.jobs, paths, strict=True)
    placed = [replace(read[path], frame=read[path].frame + job.first) for job, path in pairs]
    features = joined(placed, _provenance(plan, paths, [each.provenance for each in placed]))
    with new_file(output) as stream:
        write(features, stream)
    return features.shape


def merge_fits(plan: FeaturePlan, output: Path) -> Fitted:
    """Write the model that the labels of all shards give."""
    check_output(output, sharded=False)
    paths = _paths(plan)
    provenance = _provenance(plan, paths, [format_npz.provenance_of(path) for path in paths])
    return write_model(replace(added(paths), provenance=provenance), output)


def _paths(plan: FeaturePlan) -> list[Path]:
    """Return the files with the content of all shards, of which some may lie elsewhere."""
    return [content_of(plan.project.root / plan.path("shards", job.key)) for job in plan.jobs]


def _provenance(plan: FeaturePlan, paths: Sequence[Path], texts: Sequence[str]) -> str:
    """Return where the whole comes from: what all shards have in common, and each by itself."""
    origins: list[dict[str, Any]] = [json.loads(text) for text in texts]
    whole = {name: value for name, value in origins[0].items() if name not in OF_A_SHARD}
    whole["file"] = plan.asked.files
    whole["code"] = plan.code
    whole["levels"] = sorted({level for origin in origins for level in origin["levels"]})
    whole["shards"] = [
        {
            "key": job.key,
            "first": job.first,
            "frames": job.cut.frames,
            "sha256": job.cut.sha256,
            "host": origin["host"],
            "levels": origin["levels"],
            "digest": sha256_of(path),
        }
        for job, path, origin in zip(plan.jobs, paths, origins, strict=True)
    ]
    return as_text(whole)
