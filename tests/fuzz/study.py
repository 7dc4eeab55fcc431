"""Studies: every YAML file is a sweep with sensible numbers, or refused in words."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

from anisweep.config.load import load_study
from anisweep.config.project import Project
from anisweep.config.sections import MOST_CELLS
from anisweep.errors import UserError
from anisweep.plan.expand import hypers_of
from fuzz.campaign import Input, Target
from fuzz.mutation import WORDS, changed
from fuzz.words import check_words

ROOT = Path(__file__).resolve().parents[2]
STUDIES = [file.read_bytes() for file in sorted((ROOT / "config" / "studies").glob("*.yaml"))]
KEYS = (
    *(b"modes: []\n", b"threads: [100000]\n", b"replicates: 10000000\n", b"hypers: {max_angular: []}\n"),
    *(b"measure: {processes: 1000000000}\n", b"full: [1]\n", b"question: 2020-13-45\n", b"? [a]\n: b\n"),
    *(b"a: &a [*a]\n", b"hypers: {cutoff_radius: .nan}\n", b"threads: [true]\n", b"datasets: {x: {}}\n"),
)


def make(rng: random.Random) -> Input:
    """A study of this project with some changes."""
    content = rng.choice(STUDIES)
    return Input(changed(rng, content, (*WORDS, *KEYS)) if rng.random() < 0.95 else content)


def check(given: Input, folder: Path) -> None:
    project = Project(folder)
    file = project.study_file("mine")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(given.content)

    for size in ("small", "full"):
        try:
            sweep = load_study(project, "mine", size)
            assert 0 < sweep.count() <= MOST_CELLS
            for axes in sweep.hyper_sets:
                assert list(islice(hypers_of(axes, "mine"), 20))
        except UserError as error:
            check_words(str(error))


TARGET = Target("study", make, check)
