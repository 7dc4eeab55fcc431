"""Bundles as the study made them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

TIMINGS = (
    "file,mode,wall_s,N,species\nellipsoids.xyz,numpy_only,1.56,82,1\nbenzenes.xyz,torch_full,3.5,24,2\n"
)
LOCAL = (
    "file,mode,rep,N,species_unique,wall_s,compute_s,conv_in_s,conv_out_s,time_per_N2\n"
    "ellipsoids.xyz,torch_mixed,0,82,1,0.2,0.17,0.02,0.01,2.974419988102320e-05\n"
    "ellipsoids.xyz,torch_mixed,1,82,1,0.3,0.27,0.02,0.01,4.461629982153480e-05\n"
)
METRICS = {"xyz": "ellipsoids.xyz", "mode": "numpy_only", "returncode": 0, "elapsed_s": 2.5}

CHTC = {
    "results/timings.csv": "0,ellipsoids.xyz,numpy_only,1.56\n1,ellipsoids.xyz,torch_full,1.17\n",
    "results/timings_chtc.csv": TIMINGS,
    "results/ellipsoids.numpy_only.metrics.json": json.dumps(METRICS),
    "results/combined_from_metrics.csv": TIMINGS,
    "results/env_report.json": "{}",
    "results/ellipsoids.numpy_only.wall": "1.56",
    "traces/torch_trace_0.json": "{}",
    "logs/job_$(basename data/ellipsoids.xyz)_numpy.out": "done",
    "figures/prof_ellipsoids_callgraph.png": "PNG",
    "README.md": "hello",
}
HOME = {"timings_local.csv": LOCAL, "summary_local.csv": "tag,util\nbefore,55\nafter,91\n", "run.log": "done"}


def tgz(file: Path, members: dict[str, str]) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return file


def zipped(file: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file
