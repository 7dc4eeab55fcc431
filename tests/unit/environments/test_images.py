"""Which image a tree wants, when it wants another one, and what happens to files of images."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from anisweep.cli import main
from anisweep.environments import images
from anisweep.environments.image_builder import build
from anisweep.environments.images import Image
from anisweep.errors import UserError


def root_file_system(folder: Path, packages: str = "Package: python3\n") -> str:
    status = folder / "var" / "lib" / "dpkg" / "status"
    status.parent.mkdir(parents=True)
    status.write_text(packages)
    return str(folder)


def an_image(where: Path, wanted: images.WantedImage, content: bytes = b"an image", age: int = 0) -> Image:
    """An image of these inputs; its content is nobody's business here."""
    where.mkdir(exist_ok=True)
    sha256 = hashlib.sha256(content).hexdigest()
    file = where / f"anisweep-{wanted.name}-{sha256[:12]}.sif"
    file.write_bytes(content)
    os.utime(file, (10**9 - age, 10**9 - age))
    image = Image(file, wanted.name, sha256, wanted.tree, wanted.inputs, wanted.base, "a commit")
    image.write_note()
    return image


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def test_the_recipes_are_files(project):
    assert images.recipes(project) == ["cpu", "gpu"]
    assert images.wanted(project, "cpu", small=True).name == "cpu-small"
    assert images.wanted(project, "gpu").name == "gpu"


@pytest.mark.parametrize(
    "file", ["containers/cpu.def", "containers/install.sh", "containers/environment.sh", "envs/worker.txt"]
)
def test_recipe_and_lock_make_another_image(project, file):
    before = images.wanted(project, "cpu")

    append(project.root / file, "something==1.0\n")

    after = images.wanted(project, "cpu")
    assert after.inputs != before.inputs
    assert after.tree != before.tree


@pytest.mark.parametrize("file", ["containers/gpu.def", "envs/worker-small.txt", "envs/dev.txt"])
def test_other_files_do_not(project, file):
    before = images.wanted(project, "cpu")

    append(project.root / file, "something==1.0\n")
    append(project.root / "envs" / "worker.txt", "    # via something else\n")

    assert images.wanted(project, "cpu") == before


def test_a_local_base_counts_by_its_packages(project, tmp_path):
    one = images.wanted(project, "cpu", base=root_file_system(tmp_path / "one"))
    twin = images.wanted(project, "cpu", base=root_file_system(tmp_path / "twin"))
    other = images.wanted(project, "cpu", base=root_file_system(tmp_path / "other", "Package: python3.12\n"))

    assert twin.inputs == one.inputs != other.inputs
    assert len({one.tree, twin.tree, other.tree, images.wanted(project, "cpu").tree}) == 1


def test_torch_from_another_index_is_another_image(project, monkeypatch):
    before = {recipe: images.wanted(project, recipe).inputs for recipe in ("cpu", "gpu")}
    monkeypatch.setenv("TORCH_INDEX", "https://index.example/cpu")

    assert images.wanted(project, "cpu").inputs != before["cpu"]
    assert images.wanted(project, "gpu").inputs == before["gpu"]  # always the CUDA build


@pytest.mark.parametrize(
    ("recipe", "base", "says"),
    [
        ("tpu", images.DEFAULT_BASE, "tpu: no recipe containers/tpu.def. Allowed: cpu, gpu"),
        ("cpu", "/not/there", "base /not/there: no such folder or file. Allowed: an image of a registry"),
        ("cpu", "{empty}", "no Debian root file system.*`mmdebstrap"),
    ],
)
def test_wrong_recipe_and_base_are_said(project, tmp_path, recipe, base, says):
    (tmp_path / "empty").mkdir()

    with pytest.raises(UserError, match=says):
        images.wanted(project, recipe, base=base.format(empty=tmp_path / "empty"))


def test_an_image_is_found_by_its_inputs(project, tmp_path):
    wanted = images.wanted(project, "cpu")
    an_image(tmp_path, images.wanted(project, "gpu"), b"another")
    image = an_image(tmp_path, wanted)

    assert images.find(wanted, tmp_path) == image
    assert images.find(images.wanted(project, "cpu", small=True), tmp_path) is None


def test_push_copies_image_and_note(project, tmp_path):
    image = an_image(tmp_path / "built", images.wanted(project, "cpu"))
    staging = tmp_path / "staging"
    staging.mkdir()

    pushed = images.push(image, staging)

    assert pushed.file.read_bytes() == b"an image"
    assert images.built(staging) == [pushed]
    assert len(list(staging.iterdir())) == 2


def test_push_refuses_a_damaged_image(project, tmp_path):
    image = an_image(tmp_path / "built", images.wanted(project, "cpu"))
    image.file.write_bytes(b"an imagE")
    (tmp_path / "staging").mkdir()

    with pytest.raises(UserError, match="damaged"):
        images.push(image, tmp_path / "staging")

    assert list((tmp_path / "staging").iterdir()) == []


def test_push_leaves_no_half_file(project, tmp_path, monkeypatch):
    image = an_image(tmp_path / "built", images.wanted(project, "cpu"))
    staging = tmp_path / "staging"
    staging.mkdir()

    def full(source, target):
        target.write(b"an i")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("anisweep.environments.images.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        images.push(image, staging)

    assert list(staging.iterdir()) == []


def test_prune_keeps_the_newest_of_this_tree(project, tmp_path, monkeypatch):
    wanted = images.wanted(project, "cpu")
    twin = an_image(tmp_path / "built", wanted, b"its older twin", age=60)
    image = an_image(tmp_path / "built", wanted)
    monkeypatch.setenv("ANISWEEP_IMAGES", str(tmp_path / "built"))

    listed = CliRunner().invoke(main, ["image", "prune"])
    assert twin.file.name in listed.output
    assert twin.file.exists()

    CliRunner().invoke(main, ["image", "prune", "--yes"])
    assert images.built(tmp_path / "built") == [image]
    assert not twin.file.with_suffix(".json").exists()

    append(project.root / "envs" / "worker.txt", "something==1.0\n")
    assert images.outdated(project, tmp_path / "built") == [image]


def test_staging_is_reached_through_the_caches():
    assert images.url(Path("/staging/n/netid/a.sif")) == "osdf:///chtc/staging/n/netid/a.sif"
    assert images.url(Path("/home/netid/a.sif")) == "/home/netid/a.sif"


def test_no_apptainer_is_said_before_anything_is_made(project, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UserError, match="No Apptainer in PATH"):
        build(project, images.wanted(project, "cpu"), tmp_path / "built", None, print)

    assert not (tmp_path / "built").exists()


def test_commands_without_an_image_say_which_is_missing(project, tmp_path, monkeypatch):
    monkeypatch.setenv("ANISWEEP_IMAGES", str(tmp_path))

    said = CliRunner().invoke(main, ["image", "test", "cpu", "--small"])

    assert said.exit_code == 1
    assert "No image cpu-small" in said.output
    assert "anisweep image build" in said.output


@pytest.fixture
def no_apptainer(tmp_path, monkeypatch):
    """An Apptainer that builds a file with some content."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("apptainer", "singularity"):
        (tools / name).write_text("#!/bin/sh\nprintf 'an image' > image.sif\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")


def build_script(project, staging, **environment):
    (project.root / "condor" / "site.yaml").write_text(f"staging: {staging}\n")
    done = CliRunner().invoke(main, ["image", "build", "cpu", "--dry-run"])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_build_job_moves_the_image_to_staging_where_it_is_found(project, tmp_path, no_apptainer):
    staging = tmp_path / "a staging folder"
    staging.mkdir()
    script = build_script(project, staging)
    for _ in range(2):
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    found = images.find(images.wanted(project, "cpu"), staging)
    assert found is not None
    assert found.sha256 == hashlib.sha256(b"an image").hexdigest()
    assert found.file.name == f"anisweep-cpu-{found.sha256[:12]}.sif"
    assert done.stdout.splitlines()[-1] == str(found.file)
    assert found.file.read_bytes() == b"an image"
    assert len(list(staging.iterdir())) == 2
    assert not (project.root / "image.sif").exists()


def test_a_build_machine_without_staging_builds_nothing(project, tmp_path, no_apptainer):
    script = build_script(project, tmp_path / "not there")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "this machine does not have it" in done.stderr
    assert not (project.root / "image.sif").exists()


def test_a_build_job_needs_a_staging_folder(project, monkeypatch):
    monkeypatch.delenv("STAGING", raising=False)
    done = CliRunner().invoke(main, ["image", "build", "cpu", "--dry-run"])

    assert done.exit_code == 1
    assert "staging: $STAGING is not set here" in done.output


@pytest.mark.parametrize("yes", [False, True])
def test_staging_is_cleared_of_what_no_job_runs_in(project, tmp_path, monkeypatch, yes):
    staging = tmp_path / "staging"
    used = an_image(staging, images.wanted(project, "cpu"))
    unused = an_image(staging, images.wanted(project, "gpu"), b"another")
    (staging / "data.tar").touch()
    (project.root / "condor" / "site.yaml").write_text(f"staging: {staging}\n")
    monkeypatch.setattr("anisweep.cluster.schedd_errors.images_in_queue", lambda: {used.file.name})

    done = CliRunner().invoke(main, ["image", "prune", "--staging", *(["--yes"] if yes else [])])

    assert done.exit_code == 0, done.output
    assert f"{used.file}  stays: jobs in the queue run in it." in done.output
    assert str(unused.file) in done.output
    assert ("`anisweep image prune --staging --yes` does it" in done.output) != yes
    assert used.file.exists()
    assert (staging / "data.tar").exists()
    assert unused.file.exists() != yes


def test_what_others_put_into_a_shared_folder_is_theirs(project, tmp_path, monkeypatch):
    staging = tmp_path / "staging"
    an_image(staging, images.wanted(project, "cpu"))
    (project.root / "condor" / "site.yaml").write_text(f"staging: {staging}\n")
    monkeypatch.setattr("anisweep.cluster.schedd_errors.images_in_queue", set)
    monkeypatch.setattr("os.getuid", lambda: 4242)

    done = CliRunner().invoke(main, ["image", "prune", "--staging", "--yes"])
    assert "Deleted 0 images." in done.output
    assert len(images.built(staging)) == 1
