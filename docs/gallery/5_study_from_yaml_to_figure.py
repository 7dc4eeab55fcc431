"""
A study, from YAML to figure
============================

AniSweep also measures: which way to compute is fastest for your particles, and is the answer still right? A
study is one file. This page writes one, runs it and draws what it found.
"""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import anisweep

# %%
# Studies are run in a clone of the project. This page takes a copy of it, so that yours stays as it is.

clone = Path(anisweep.__file__).parents[2]
project = Path(tempfile.mkdtemp()) / "anisweep"
leave_out = shutil.ignore_patterns(".*", "build", "data", "docs", "results", "tests")
shutil.copytree(clone, project, ignore=leave_out)

# %%
# Every combination of what the study lists is measured: here two modes on three sizes of one data set.
# ``numpy_only`` is the published AniSOAP, and ``fused_cpu`` is
# :class:`~anisweep.descriptors.EllipsoidalDensityProjection`.

study = """
question: How much faster are compiled kernels, and does that depend on the size?

replicates: 1
datasets:
  ellipsoids: {frames: [5, 20, 80]}
modes: [numpy_only, fused_cpu]
hypers: {max_angular: 4, cutoff_radius: 5.0}
measure: {repetitions: 5, minimum_s: 0.01}
"""
_ = (project / "config/studies/my_first.yaml").write_text(study)

# %%
# ``make run STUDY=my_first`` would do everything, the report included. We ask for the table alone.

command = "snakemake --profile local results/my_first/tables/cells.parquet --config study=my_first"
done = subprocess.run(command.split(), cwd=project, capture_output=True, text=True, check=True)
print(done.stdout)

# %%
# Each line of the table is one measurement. It names its artifact, the machine, the versions of everything,
# and how far the result is from the published AniSOAP's. :doc:`All columns </reference/metrics>` have their
# page.

with contextlib.chdir(project):
    cells = anisweep.load("my_first")

cells = cells[cells["role"] == "cell"]
print(cells[["mode", "frames", "pairs", "wall_s", "max_relative_error", "status"]].to_string(index=False))

# %%
# And one figure. ``make run`` draws a dozen into ``results/my_first/figures``.

colours = {"numpy_only": "#bc4c00", "fused_cpu": "#0969da"}
figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")

for mode, rows in cells.sort_values("pairs").groupby("mode"):
    axes.plot(rows["pairs"], 1e3 * rows["wall_s"], "o-", color=colours[mode], linewidth=2.5, label=mode)
    axes.annotate(
        mode,
        (rows["pairs"].iloc[-1], 1e3 * rows["wall_s"].iloc[-1]),
        xytext=(0, 10),
        textcoords="offset points",
        ha="right",
        color=colours[mode],
    )

axes.set(xscale="log", yscale="log", xlabel="pairs of neighbours", ylabel="time of one computation / ms")
axes.margins(y=0.2)
axes.spines[["top", "right"]].set_visible(False)
axes.grid(alpha=0.3)
plt.show()
