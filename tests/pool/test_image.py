"""The small image: built by an ordinary user, sound, and good enough for a pack in the container universe."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

from jobs import PATIENCE_S, submit

from anisweep.artifacts import reading
from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.plan import make_plan
from anisweep.workflow.prepare import prepare_dataset
from condor.pool import Pool
from condor.pool.image import BASE, IMAGES, image_command

ROOT = Path(__file__).resolve().parents[2]

RUN = """\
#!/bin/sh
export PYTHONPATH="$PWD/code"
exec python3 -m anisweep run-pack pack.json artifact.tar.gz
"""

SUBMIT = """\
universe = container
container_image = {image}
executable = run.sh
transfer_input_files = pack.json, data, code
transfer_output_files = artifact.tar.gz
request_memory = 1GB
"""


def test_built_once(pool: Pool, image: str) -> None:
    said = _image(pool, "build", "cpu", "--small", "--base", BASE)

    assert f"{image}: of this recipe, lock and base; nothing to build." in said


def test_its_own_test_passes_as_a_job_sees_it(pool: Pool, image: str) -> None:
    said = _image(pool, "test", "cpu", "--small", "--base", BASE)

    assert "anisoap 0.1.1" in said
    assert "torch" not in said
    assert said.splitlines()[-1] == f"{image}: sound."


def test_taken_from_another_builder(pool: Pool, image: str) -> None:
    elsewhere = f"{pool.user.home}/image.sif"
    pool.run("cp", image, elsewhere, node="build")
    small = ("--small", "--base", BASE)

    refused = _image(pool, "take", "gpu", elsewhere, "--base", BASE, status=1)
    assert "made of other inputs" in refused
    assert "anisweep image build --dry-run" in refused

    taken = _image(pool, "take", "cpu", elsewhere, *small, folder=f"{pool.user.home}/taken")
    assert Path(taken.strip()).name == Path(image).name
    assert "nothing to build" in _image(pool, "build", "cpu", *small, folder=f"{pool.user.home}/taken")


def test_the_printed_command_builds_the_wanted_image(pool: Pool, image: str) -> None:
    script = _image(pool, "build", "cpu", "--small", "--base", BASE, "--dry-run", STAGING=IMAGES)
    printed = next(line for line in script.splitlines() if " build " in line and "--build-arg" in line)
    labels = pool.run("apptainer", "inspect", "--labels", image).stdout
    inputs = re.search(r"anisweep.inputs: (\w+)", labels)

    assert inputs is not None
    assert f"INPUTS={inputs[1]}" in shlex.split(printed)
    assert shlex.split(printed)[-2:] == ["image.sif", "containers/cpu.def"]


def test_pack_runs_in_the_container_universe(pool: Pool, image: str, project: Project) -> None:
    given = {"study": "tiny", "modes": ["numpy_only"], "datasets": {"ellipsoids": {"frames": 2}}}
    pack = make_plan(project, *load_config(project, given)).packs[0]
    folder = pool.home / "pack"

    for path in {cell.dataset.path for cell in pack.cells}:
        prepare_dataset(project, Path(path))
    shutil.copytree(project.root / "data", folder / "data")
    shutil.copytree(ROOT / "src" / "anisweep", folder / "code" / "anisweep")
    (folder / "pack.json").write_text(pack.to_json())
    (folder / "run.sh").write_text(RUN)

    job = submit(pool, folder, SUBMIT.format(image=image))
    job.wait()

    assert (folder / "artifact.tar.gz").exists(), job.story()
    contents = reading.read(folder / "artifact.tar.gz")
    assert contents.pack == pack
    assert {row.status for row in contents.rows} == {"ok"}
    assert {row.key for row in contents.rows if row.role == "cell"} == {cell.key for cell in pack.cells}
    assert contents.host.host in ("ep1", "ep2")


def _image(pool: Pool, *command: str, folder: str = IMAGES, status: int = 0, **environment: str) -> str:
    """`anisweep image ...` with this exit status; what it said."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    words = image_command(pool, *command, folder=folder)
    anisweep = words.index("anisweep")
    done = subprocess.run(
        [*words[:anisweep], *variables, *words[anisweep:]],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")
