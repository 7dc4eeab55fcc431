"""Time how fast the schedd accepts a submission of many packs. It runs on the access point, by its user.

    python -m benchmarks.pool.acceptance PACKS REPETITIONS

The jobs ask for a machine that nobody has, so none starts; each submission is removed again.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.submit_file import Shape, Site, files_of

#: Through the pool's caches, or from the access point.
IMAGES = {
    "image named by a URL": "osdf:///chtc/staging/ada/image.sif",
    "image sent as a file": "results/image.sif",
}


@dataclass(frozen=True)
class Submission:
    """One submission.

    Attributes
    ----------
    image : how the jobs get it
    late : whether their jobs come into being as others go
    describe_s : submit file, table and scripts as texts
    write_s : all of it on disk, where it survives a power cut
    accept_s : until the schedd has taken it
    """

    image: str
    late: bool
    packs: int
    describe_s: float
    write_s: float
    accept_s: float


def main(packs: int, repetitions: int) -> None:
    """Print one line of JSON for each submission."""
    image = Path(IMAGES["image sent as a file"])
    image.touch()

    for _ in range(repetitions):
        for kind in IMAGES:
            print(json.dumps(asdict(submit(kind, packs))), flush=True)


def submit(kind: str, packs: int) -> Submission:
    """Describe, write and submit, each timed; then take it all back."""
    entries = [entry(number) for number in range(packs)]
    batch = Batch.new(Path.cwd(), "results/batches", "measure_pack", entries)
    site = Site(
        description=Path("condor/chtc/pack.sub").read_text() + "\nrequirements = False\n",
        prologue="condor/chtc/prologue.sh",
    )
    times = [time.perf_counter()]

    files = files_of(batch, Shape("measure_pack", IMAGES[kind], memory_mb=512, disk_mb=1536), site)
    times.append(time.perf_counter())
    batch.write(files)
    times.append(time.perf_counter())
    schedd.submit(files["jobs.sub"])
    times.append(time.perf_counter())

    schedd.remove([batch.id], "measured")
    shutil.rmtree(batch.folder, ignore_errors=True)  # the schedd may still write its log
    late = "max_idle" in files["jobs.sub"]
    return Submission(kind, late, packs, *(late - early for early, late in pairwise(times)))


def entry(number: int) -> Entry:
    """A pack with inputs and a name of the usual length."""
    name = f"several-r{number}-{number:012x}"
    plan, output = f"results/packs/{name}.json", f"results/artifacts/{name}.tar.gz"
    data = ("data/ellipsoids-0123456789ab.xyz", "data/two_species-0123456789ab.xyz")
    return Entry(
        name, output, (plan, *data, "results/code/anisweep.whl"), f"anisweep run-pack {plan} {output}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
