"""The command line: whatever is typed, words and a status, and never a traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from anisweep.cli import main
from fuzz.campaign import Input, Target
from fuzz.mutation import WORDS
from fuzz.words import check_words

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = """\
inspect some.xyz --cutoff 5
plan study=tiny
plan study=tiny replicates=2 --json
show x
verify
describe some.xyz -o out.npz --max-angular 2 --cutoff-radius 4
merge a.npz b.npz -o out.npz
prune
describe some.xyz -o out.npz --diameters [3,3,1] --pair C C --shard 1/2
run-pack p.json a.tar.gz
unbundle some.xyz
bundle tiny x.tgz
new mine some.xyz
compare numpy_only torch_full
-h
""".splitlines()
FILES = (
    "some.xyz",
    "absent",
    "folder",
    "pipe",
    "/dev/null",
    "/dev/full",
    "link",
    "empty.npz",
    "",
    "-",
    "\udcff",
)
TEXTS = tuple(word.decode("utf-8", "surrogateescape") for word in WORDS if b"\0" not in word)
OVERRIDES = """\
study=[]
max_minutes=.nan
threads=[100000]
hypers={cutoff_radius: .inf}
replicates=true
size=huge
site=../x
measure={repetitions: 1000000000}
question=
=
study=
a=b=c
retry=3
""".splitlines()
XYZ = "1\nProperties=species:S:1:pos:R:3:c_q:R:4:c_diameter:R:3\nC 0 0 0 1 0 0 0 3 3 1\n"


def make(rng: random.Random) -> Input:
    """A command with some of its words changed, left out or added."""
    words = rng.choice(COMMANDS).split(" ")
    for _ in range(rng.randint(0, 3)):
        at = rng.randint(1, len(words))
        other = rng.choice(rng.choice((FILES, TEXTS, OVERRIDES)))
        words[at : at + rng.randint(0, 1)] = [other] if rng.random() < 0.85 else []
    return Input(json.dumps(words).encode())


def check(given: Input, folder: Path) -> None:
    root = folder / "project"
    if not root.exists():
        _project(root)
    os.environ["ANISWEEP_PROJECT"] = str(root)

    with chdir(root):
        done = CliRunner().invoke(main, json.loads(given.content))
        (root / "out.npz").unlink(missing_ok=True)
        (root / "x.tgz").unlink(missing_ok=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in (0, 1, 2), done.exit_code
    if done.exit_code:
        check_words(done.output)


def _project(root: Path) -> None:
    """A project with nothing measured, and odd files beside it."""
    root.mkdir(parents=True)
    shutil.copy(ROOT / "Snakefile", root)
    for name in ("config", "envs", "containers"):
        shutil.copytree(ROOT / name, root / name)

    (root / "some.xyz").write_text(XYZ)
    (root / "empty.npz").write_bytes(b"")
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to("nowhere")


TARGET = Target("command_line", make, check)
