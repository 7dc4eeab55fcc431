"""Run the upstream plugin (envs/upstream.txt) on the same packs; its jobs need Snakemake in their image."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from anisweep.environments.image_builder import COMPRESSION
from benchmarks.pool.prepared import prepare
from benchmarks.pool.stage import Stage
from benchmarks.pool.timing import Run, timed
from condor.pool.cache import cache
from condor.pool.files import CERTIFICATES
from condor.pool.image import BASE, IMAGES, kept
from condor.pool.pool import PROJECT

LOCK = PROJECT / "envs" / "upstream.txt"
DIGEST = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]

RECIPE = f"""\
Bootstrap: localimage
From: {BASE}
%files
    {LOCK} /opt/upstream.txt
%post
    python3 -m venv /opt/upstream
    /opt/upstream/bin/pip install --quiet --no-cache-dir --require-hashes --requirement /opt/upstream.txt
%environment
    export PATH=/opt/upstream/bin:$PATH
"""

SNAKEFILE = """\
rule all:
    input:
        [f"results/artifacts/{{name}}.tar.gz" for name in open("packs.txt").read().split()],


rule measure_pack:
    input:
        pack="results/packs/{{pack}}.json",
        names="packs.txt",
        shared={shared!r},
    output:
        "results/artifacts/{{pack}}.tar.gz",
    resources:
        job_wrapper="snakemake.sh",
        universe="container",
        container_image={image!r},
        request_memory="512MB",
        request_disk="1536MB",
    shell:
        ". ./condor/chtc/prologue.sh; anisweep run-pack {{input.pack}} {{output}}"


localrules:
    all,
"""

#: The plugin would send the access point's Python, which finds its library nowhere else.
WRAPPER = """\
#!/bin/sh
exec snakemake "$@"
"""

#: As fast as it can be told to be; a failure would be waited on for hours.
OPTIONS = (
    *("--executor", "htcondor", "--jobs", "unlimited", "--shared-fs-usage", "none", "--nolock"),
    *("--seconds-between-status-checks", "1", "--max-status-checks-per-second", "100"),
    *("--htcondor-held-timeout", "0"),
)


def environment() -> Path:
    """Its environment on the access point, made once."""
    place = cache() / f"upstream-{DIGEST}"

    if not (place / "complete").exists():
        print(f"Installing the upstream plugin in {place}, once.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        pip = [
            str(place / "bin" / "pip"),
            "install",
            "--quiet",
            "--require-hashes",
            "--requirement",
            str(LOCK),
        ]
        subprocess.run(pip, check=True)
        (place / "complete").touch()
    return place


def image(stage: Stage) -> str:
    """The image of its jobs, as the access point sees it; built once."""
    name = f"upstream-{DIGEST}.sif"

    if not (kept() / name).exists():
        (stage.clone / "upstream.def").write_text(RECIPE)
        there = stage.pool.give(stage.clone / "upstream.def")
        trusted = ("--bind", f"{CERTIFICATES}:{CERTIFICATES}:ro")
        command = (
            "apptainer",
            "build",
            *trusted,
            "--mksquashfs-args",
            COMPRESSION,
            f"{IMAGES}/{name}",
            there,
        )
        build = stage.pool.as_user(*command, node="build")
        subprocess.run(build, stdin=subprocess.DEVNULL, check=True)
    return f"{IMAGES}/{name}"


def run_upstream(stage: Stage, packs: int) -> Run:
    """Snakemake with the upstream plugin; no plan and no verification in it."""
    folder, its_image = stage.clone / "upstream", image(stage)
    shared = prepare(stage, folder, packs)
    (folder / "Snakefile").write_text(SNAKEFILE.format(shared=shared, image=its_image))
    (folder / "snakemake.sh").write_text(WRAPPER)
    stage.pool.give(folder)

    program = str(environment() / "bin" / "snakemake")
    path = f"PATH={environment() / 'bin'}:{os.defpath}"
    command = stage.pool.as_user("env", path, program, *OPTIONS, cwd=f"{stage.there}/upstream")
    return timed(stage, "upstream", packs, command, folder, its_image)
