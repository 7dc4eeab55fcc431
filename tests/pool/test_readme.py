"""The README's commands for CHTC, as they stand there, with the pool's values for CHTC's."""

from __future__ import annotations

import random
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs import wait_for
from sweep import SITE

from clone import ROOT, Clone
from condor.pool import Node, Pool, SystemPool, User, why_not
from condor.pool.image import IMAGES, image_binds, small_image

#: Letters that somebody's home has somewhere.
LETTERS = "äéîøçñßł"


@pytest.fixture(scope="module")
def somewhere(own_name: str) -> Iterator[Pool]:
    """A pool whose user, home and hosts are drawn; the seed is printed."""
    if SystemPool.wanted() or why_not():
        pytest.skip(why_not() or "no root on the machine's own pool")

    seed = random.randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    word = "".join(draw.choices("abcdefghij", k=5))
    hosts = [f"{draw.choice('klmnop')}{number}-{word}" for number in range(4)]
    nodes = (
        Node(hosts[0], "ap", 9618),
        Node(hosts[1], "ep", 9620),
        Node(hosts[2], "ep", 9621),
        Node(hosts[3], "build"),
    )
    user = User(word, f"/home/{draw.choice(LETTERS)}{word} {draw.choice(LETTERS)}")
    started = Pool.start(f"{own_name}-readme", nodes=nodes, user=user, binds=image_binds())
    try:
        yield started
    finally:
        started.stop()


def commands() -> tuple[list[str], list[str]]:
    """The commands for the access point, and those for the laptop, without their comments."""
    section = (ROOT / "README.md").read_text().split("\n## At CHTC\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    there, here = ([line.split("  #")[0].strip() for line in block.splitlines()] for block in blocks)
    return there, here


def test_at_most_ten_commands_lead_to_the_report() -> None:
    there, here = commands()

    assert len(there) + len(here) <= 10
    assert here[-1].endswith("snakemake --profile local report")


@pytest.mark.fault
def test_the_commands_of_the_readme(somewhere: Pool, tmp_path: Path) -> None:
    pool = somewhere
    image = small_image(pool)
    there, here = commands()
    clone_here = Clone.of_the_tree(pool.home / "origin")
    pool.give(clone_here.root)
    path = ""

    for line in there:
        if line.startswith("git clone"):
            # What is cloned is this tree as it is, committed or not.
            clone_here.root.rename(pool.home / "anisweep")
        elif line.startswith("make submit-env"):
            _run(pool, line.split(" && ")[0], node="build")
            path = f"{pool.user.home}/anisweep/.venv-submit/bin:"
        elif line.startswith("nano"):
            site = pool.home / "anisweep" / line.split()[1]
            site.write_text(SITE.replace("zoe", pool.user.name))
        elif line.startswith("condor_submit -i"):
            _run_in_the_build_job(pool, image)
        else:
            _run(pool, line.replace("first_look", "tiny"), path)

    def home() -> bool:
        return (pool.home / "anisweep" / "results" / "report.html").exists()

    wait_for(home, "the controller's report")
    laptop = Clone.of_the_tree(tmp_path / "lap top")
    for line in here:
        line = line.replace("ACCESS_POINT:anisweep", shlex.quote(str(pool.home / "anisweep")))
        laptop.run("sh", "-c", f"{line} --config study=tiny")

    assert (laptop.root / "results" / "report.html").exists()
    assert (laptop.root / "results" / "tiny" / "tables" / "missing.json").read_text() == "[]\n"
    assert len(list(laptop.artifacts.glob("*.tar.gz"))) == 2


def _run(pool: Pool, line: str, path: str = "", node: str = "ap") -> None:
    """A line of the README in the user's shell."""
    home = pool.user.home
    cwd = f"{home}/anisweep"
    shell = f'export PATH="{path}$PATH"; export STAGING={IMAGES}; {line}'
    done = subprocess.run(
        pool.as_user("bash", "-c", shell, cwd=cwd, node=node),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def _run_in_the_build_job(pool: Pool, image: str) -> None:
    """The script of the build job; Apptainer hands out the pool's image, for nodes reach no package index."""
    tools = pool.home / "tools"
    tools.mkdir()
    for name in ("apptainer", "singularity"):
        (tools / name).write_text(f"#!/bin/sh\ncp '{image}' image.sif\n")
        (tools / name).chmod(0o755)

    pool.give(tools)
    _run(pool, "sh containers/build.sh", f"{pool.user.home}/tools:")
    assert not (pool.home / "anisweep" / "image.sif").exists()
