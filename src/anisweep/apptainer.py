"""Builds and tests images with Apptainer, as an ordinary user, through spython."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from anisweep.artifact import sha256_of
from anisweep.config import ConfigError, Project
from anisweep.images import Image, Wanted

#: Fast, and as small as gzip, which takes minutes on the full image.
COMPRESSION = "-comp zstd -Xcompression-level 3"

#: Where Debian keeps the authorities that it trusts.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

#: As in a job: the image read-only, no home, nothing of the machine but one folder, which is the job's own.
INSIDE = "/srv"
EMULATION = (
    *("--containall", "--no-home", "--scratch", "/tmp", "--scratch", "/var/tmp"),
    *("--pwd", INSIDE, "--env", f"_CONDOR_SCRATCH_DIR={INSIDE}"),
)

#: Lines of a build that its failure repeats.
LAST_LINES = 15


def build(
    project: Project, wanted: Wanted, where: Path, wheels: Path | None, say: Callable[[str], Any]
) -> Image:
    """Build an image, test it and name it by its content.

    Parameters
    ----------
    where : folder for the image, made if need be
    wheels : folder with a wheel of the published anisoap; without it the recipe builds one with Rust
    say : gets each line of the build

    Raises
    ------
    ConfigError
        when Apptainer is missing or the build fails
    """
    _require_apptainer()
    where.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix=".build-", dir=where) as scratch:
        new = Path(scratch) / "new.sif"

        with chdir(project.root):
            _follow(build_command(project, wanted, new, wheels, _authorities()), wanted, say)

        return _keep(new, wanted, where, _commit(project))


def take(wanted: Wanted, file: Path, where: Path) -> Image:
    """Move an image that was built elsewhere (by `build_command`) to the others, if it is the wanted one.

    Raises
    ------
    ConfigError
        when it was made of something else
    """
    labels = _labels(file)

    if labels.get("anisweep.inputs") != wanted.inputs:
        raise ConfigError(
            f"{file}: made of other inputs ({labels.get('anisweep.inputs', 'no label')}) than this tree's "
            f"{wanted.name} from {wanted.base}. Allowed: an image built by the command that "
            f"`anisweep image build --dry-run` prints with the same options. Build it again."
        )

    where.mkdir(parents=True, exist_ok=True)
    return _keep(file, wanted, where, labels["anisweep.commit"])


def test(image: Image) -> str:
    """Run the image's own test as a job would see it, and compare its labels with its note.

    Returns what the test said.

    Raises
    ------
    ConfigError
        when the image fails
    """
    if _labels(image.file).get("anisweep.inputs") != image.inputs:
        raise ConfigError(
            f"{image.file}: its labels say other inputs than the note beside it. "
            "Remove both, then `anisweep image build` makes them again."
        )

    from spython.main import Client
    from spython.utils import run_command

    with tempfile.TemporaryDirectory() as scratch:
        place = ["--workdir", scratch, "--bind", f"{scratch}:{INSIDE}"]
        command = [*Client._init_command("test"), *EMULATION, *place, str(image.file)]
        done = run_command(command, quiet=True)

    said = "".join(done["message"])
    if done["return_code"] != 0:
        raise ConfigError(
            f"{image.file}: its own test failed with status {done['return_code']}:\n{said}"
            "A damaged file? Remove it, then `anisweep image build` makes it again."
        )
    return said


def build_command(
    project: Project, wanted: Wanted, new: Path, wheels: Path | None, binds: Sequence[str] = ()
) -> list[str]:
    """The command that builds an image, from the root of the project; ``binds`` are of its machine."""
    from spython.main import Client

    arguments = {
        "BOOTSTRAP": "localimage" if Path(wanted.base).is_absolute() else "docker",
        "BASE": wanted.base,
        "LOCK": wanted.lock,
        "COMMIT": _commit(project),
        "INPUTS": wanted.inputs,
    }
    if wanted.torch_index:
        arguments["TORCH_INDEX"] = wanted.torch_index

    options = ["--mksquashfs-args", COMPRESSION]
    for name, value in arguments.items():
        options += ["--build-arg", f"{name}={value}"]
    for bind in [*binds, *([f"{wheels.resolve()}:/mnt:ro"] if wheels else [])]:
        options += ["--bind", bind]

    return [*Client._init_command("build"), *options, str(new), f"containers/{wanted.recipe}.def"]


def _keep(new: Path, wanted: Wanted, where: Path, commit: str) -> Image:
    """Name a new image by its content, and write down what it was made of."""
    sha256 = sha256_of(new)
    file = where / f"anisweep-{wanted.name}-{sha256[:12]}.sif"
    shutil.move(new, file)

    image = Image(file, wanted.name, sha256, wanted.tree, wanted.inputs, wanted.base, commit)
    image.write_note()
    return image


def _labels(file: Path) -> dict[str, str]:
    _require_apptainer()
    from spython.main import Client

    found = Client.inspect(str(file))
    if "attributes" not in found:
        raise ConfigError(f"{file}: no image that Apptainer can read. Allowed: a SIF file. Build it again.")
    return dict(found["attributes"]["labels"])


def _authorities() -> list[str]:
    """Those that this machine trusts, for the build alone."""
    trusted = os.environ.get("SSL_CERT_FILE", "")
    return [f"{trusted}:{CERTIFICATES}:ro"] if trusted and Path(trusted).exists() else []


def _follow(command: list[str], wanted: Wanted, say: Callable[[str], Any]) -> None:
    """Run a build to its end, line by line."""
    from spython.utils import stream_command

    last: deque[str] = deque(maxlen=LAST_LINES)

    try:
        for line in stream_command(command, output_type="both"):
            last.append(line)
            say(line.rstrip("\n"))
    except subprocess.CalledProcessError as error:
        raise ConfigError(
            f"containers/{wanted.recipe}.def: the build failed (status {error.returncode}). It said last:\n"
            f"{''.join(last)}Mend that (docs/how-to/build-an-image.md has the usual causes), then run the "
            "same command again."
        ) from None


def _require_apptainer() -> None:
    # spython asks for the older name, which every package of Apptainer has as well.
    if shutil.which("singularity") is None:
        raise ConfigError(
            "No Apptainer in PATH. Allowed: any machine that has it; at CHTC a build job "
            "(docs/how-to/build-an-image.md). Debian's unstable suite has the package `apptainer`."
        )


def _commit(project: Project) -> str:
    """The commit that is checked out, with a mark when the tree differs from it."""
    if shutil.which("git") is None:
        return "unknown"

    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"
