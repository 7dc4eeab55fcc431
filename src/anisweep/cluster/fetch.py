"""Fetch artifacts and shards that are missing here from the project on another machine; verify every byte."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from anisweep.artifacts import reading, writing
from anisweep.artifacts.writing import SUFFIX
from anisweep.cluster.arrivals import accept
from anisweep.config.project import BATCHES, Project
from anisweep.errors import UserError
from snakemake_executor_plugin_condorsweep.ledger import FILE, FORMER_FILE

#: What is brought: artifacts and shards, those that still lie in an inbox, and the job records of the packs.
LISTED = (
    *("results/artifacts/*.tar.gz", f"{BATCHES}/*/inbox/*.tar.gz"),
    *("results/features/*/shards/*.npz", f"{BATCHES}/*/inbox/*.npz"),
)
LEDGERS = tuple(f"{BATCHES}/*/{name}" for name in (FILE, FORMER_FILE))

ALLOWED = re.compile(r"results/(artifacts|features/\w+/shards|batches/[\w-]+(/inbox)?)/\w[\w.-]*")

REMOTE = re.compile(r"(?P<host>[\w.@][\w.@-]*):(?P<folder>.+)", re.DOTALL)

LARGEST = reading.LARGEST_TOTAL

#: How the name of a shard ends.
SHARD = ".npz"


@dataclass(frozen=True)
class Fetched:
    """Record which artifacts and shards came and which were here, and what is wrong with the rest."""

    came: tuple[str, ...]
    there: tuple[str, ...]
    unsound: tuple[str, ...]

    @property
    def features(self) -> list[str]:
        """Return the names of the features whose shards are here now."""
        return sorted({name.rpartition("-")[0] for name in (*self.came, *self.there) if name.endswith(SHARD)})


def fetch(project: Project, place: str) -> Fetched:
    """Copy the artifacts of the project at ``[HOST:]DIR`` into this one.

    An artifact that is here stays as it is. One that is not whole, such as a file that is still on its way
    into an inbox, is left for the next time.

    Raises
    ------
    UserError
        when there is no project, or the other machine cannot be reached, with what ssh said
    """
    listing = f"{{ ls -d {' '.join([*LISTED, *LEDGERS])} 2>/dev/null || true; }}"
    found = [name for name in _run(place, listing).decode(errors="surrogateescape").split("\n") if name]
    have = {file.name for file in project.artifacts.glob(f"*{SUFFIX}")}
    have |= {file.name for file in project.results.glob("features/*/shards/*.npz")}
    names = [name for name in found if ALLOWED.fullmatch(name) and PurePosixPath(name).name not in have]
    artifacts = {PurePosixPath(name).name for name in found if name.endswith((SUFFIX, SHARD))}
    unsound = [f"{name}: no name of an artifact" for name in found if not ALLOWED.fullmatch(name)]
    came: list[str] = []
    project.results.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=project.results) as scratch:
        for path in _received(place, names, Path(scratch)):
            name = path.relative_to(scratch)
            if not path.name.endswith((SUFFIX, SHARD)):
                target = project.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
                continue
            try:
                take = _take_shard if path.suffix == SHARD else _take
                came += [path.name] if take(project, path) else []
            except ValueError as damage:
                unsound.append(str(damage))

    return Fetched(tuple(came), tuple(artifacts & have), tuple(unsound))


def _take_shard(project: Project, arrived: Path) -> bool:
    """Give a sound shard its place, which its name says; return False if it was there."""
    target = project.results / "features" / arrived.stem.rpartition("-")[0] / "shards" / arrived.name
    if target.exists():
        return False  # it lay in the folder and in an inbox
    accept(arrived, target)
    return True


def _take(project: Project, arrived: Path) -> bool:
    """Give a sound file its place; return False if it was there."""
    target = project.artifacts / arrived.name
    contents = reading.read(arrived)
    if f"{contents.pack.name}{SUFFIX}" != target.name:
        raise reading.DamagedArtifact(f"{target.name}: holds the pack {contents.pack.name}")

    if target.exists():
        return False  # it lay in the folder and in an inbox
    writing.put(arrived, target)
    writing.kept_link(target).unlink()
    return True


def _received(place: str, names: list[str], folder: Path) -> Iterator[Path]:
    """Unpack the named files into a folder, and yield those that are plain files of sensible size."""
    for some in _portions(names):
        packed = folder / "packed.tar"
        packed.write_bytes(_run(place, f"tar -cf - --ignore-failed-read {shlex.join(some)}"))

        with tarfile.open(packed) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if not (content and ALLOWED.fullmatch(member.name) and member.size < LARGEST):
                    raise UserError(
                        f"{place}: sent {member.name!r}, which nobody asked for. It was left there."
                    )
                received = folder / member.name
                received.parent.mkdir(parents=True, exist_ok=True)
                with content, received.open("wb") as stream:
                    shutil.copyfileobj(content, stream)
                yield received
        packed.unlink()


def _portions(names: list[str]) -> Iterator[list[str]]:
    """Yield as many names at a time as a command line holds; shards are large, and come one by one."""
    small = [name for name in names if not name.endswith(SHARD)]
    for start in range(0, len(small), 200):
        yield small[start : start + 200]
    yield from ([name] for name in names if name.endswith(SHARD))


def _run(place: str, command: str) -> bytes:
    """Run a command in the folder of the other project, and return its standard output."""
    remote = REMOTE.fullmatch(place)
    folder = remote["folder"] if remote else place
    inside = f"cd {shlex.quote(folder)} && test -f Snakefile && {command}"
    words = ["ssh", remote["host"], inside] if remote else ["sh", "-c", inside]
    done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, check=False)

    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or "it holds no Snakefile"
        raise UserError(
            f"{place}: cannot be read ({said}). Allowed: the folder of an AniSweep project, on this machine "
            "or as HOST:DIR where `ssh HOST` works."
        )
    return done.stdout
