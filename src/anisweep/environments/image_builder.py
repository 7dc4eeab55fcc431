"""Build and test images with Apptainer, as an ordinary user, through spython."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from anisweep.config.project import Project
from anisweep.environments.images import Image, WantedImage
from anisweep.errors import UserError
from anisweep.files import sha256_of

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

#: What a build job runs. Nothing of ours is installed there, and the image passes through no home.
SCRIPT = """\
#!/bin/sh
# Builds the image {name} and moves it to {staging}; written by `anisweep image build --dry-run`.
set -eu

if ! test -d {staging}; then
    echo {staging}: this machine does not have it. Leave the job and start another one. >&2
    exit 1
fi

{build}
sha256=$(sha256sum image.sif | cut -d ' ' -f 1)
image={staging}/anisweep-{name}-$(echo "$sha256" | cut -c 1-12)

# Under its name it appears whole or not at all, and the note, by which it is found, last.
mv image.sif "$image.part"
mv "$image.part" "$image.sif"
sed "s/: \\"SHA256\\"/: \\"$sha256\\"/; s/: \\"FILE\\"/: \\"${{image##*/}}.sif\\"/" > "$image.json" << 'END'
{note}
END
echo "$image.sif"
"""

#: How Apptainer is called: spython asks for this older name, which every package of Apptainer has as well.
PROGRAM = "singularity"

#: Lines of a build that its failure repeats.
LAST_LINES = 15


def build(
    project: Project, wanted: WantedImage, where: Path, wheels: Path | None, say: Callable[[str], Any]
) -> Image:
    """Build an image, test it and name it by its content.

    Parameters
    ----------
    where : folder for the image, made if need be
    wheels : folder with a wheel of the published anisoap; without it the recipe builds one with Rust
    say : gets each line of the build

    Raises
    ------
    UserError
        when Apptainer is missing or the build fails
    """
    _require_apptainer()
    where.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix=".build-", dir=where) as scratch:
        new = Path(scratch) / "new.sif"

        with chdir(project.root):
            _follow(build_command(project, wanted, new, wheels, _authorities()), wanted, say)

        return _keep(new, wanted, where, _commit(project))


def take(wanted: WantedImage, file: Path, where: Path) -> Image:
    """Move an image that was built elsewhere (by `build_command`) to the others, if it is the wanted one.

    Raises
    ------
    UserError
        when it was made of something else
    """
    labels = _labels(file)

    if labels.get("anisweep.inputs") != wanted.inputs:
        raise UserError(
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
    UserError
        when the image fails
    """
    if _labels(image.file).get("anisweep.inputs") != image.inputs:
        raise UserError(
            f"{image.file}: its labels say other inputs than the note beside it. "
            "Remove both, then `anisweep image build` makes them again."
        )

    from spython.utils import run_command

    with tempfile.TemporaryDirectory() as scratch:
        place = ["--workdir", scratch, "--bind", f"{scratch}:{INSIDE}"]
        command = [PROGRAM, "test", *EMULATION, *place, str(image.file)]
        done = run_command(command, quiet=True)

    said = "".join(done["message"])
    if done["return_code"] != 0:
        raise UserError(
            f"{image.file}: its own test failed with status {done['return_code']}:\n{said}"
            "A damaged file? Remove it, then `anisweep image build` makes it again."
        )
    return said


def build_script(project: Project, wanted: WantedImage, staging: Path, wheels: Path | None) -> str:
    """Return the script of a build job, which builds an image and moves it to ``staging``.

    It runs from the root of the project.
    """
    note = Image(
        Path("FILE"), wanted.name, "SHA256", wanted.tree, wanted.inputs, wanted.base, _commit(project)
    )
    return SCRIPT.format(
        name=wanted.name,
        staging=shlex.quote(str(staging)),
        build=shlex.join(build_command(project, wanted, Path("image.sif"), wheels)),
        note=note.note(),
    )


def build_command(
    project: Project, wanted: WantedImage, new: Path, wheels: Path | None, binds: Sequence[str] = ()
) -> list[str]:
    """Return the command that builds an image, from the root of the project.

    ``binds`` are of the machine that it runs on.
    """
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

    return [PROGRAM, "build", *options, str(new), f"containers/{wanted.recipe}.def"]


def _keep(new: Path, wanted: WantedImage, where: Path, commit: str) -> Image:
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
        raise UserError(f"{file}: no image that Apptainer can read. Allowed: a SIF file. Build it again.")
    return dict(found["attributes"]["labels"])


def _authorities() -> list[str]:
    """Return the bind that shows the build the certificate authorities of this machine, if it names any."""
    trusted = os.environ.get("SSL_CERT_FILE", "")
    return [f"{trusted}:{CERTIFICATES}:ro"] if trusted and Path(trusted).exists() else []


def _follow(command: list[str], wanted: WantedImage, say: Callable[[str], Any]) -> None:
    """Run a build to its end, line by line."""
    from spython.utils import stream_command

    last: deque[str] = deque(maxlen=LAST_LINES)

    try:
        for line in stream_command(command, output_type="both"):
            last.append(line)
            say(line.rstrip("\n"))
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"containers/{wanted.recipe}.def: the build failed (status {error.returncode}). It said last:\n"
            f"{''.join(last)}Mend that (docs/how-to/build-an-image.md has the usual causes), then run the "
            "same command again."
        ) from None


def _require_apptainer() -> None:
    if shutil.which(PROGRAM) is None:
        raise UserError(
            "No Apptainer in PATH. Allowed: any machine that has it; at CHTC a build job "
            "(docs/how-to/build-an-image.md). Debian's unstable suite has the package `apptainer`."
        )


def _commit(project: Project) -> str:
    """Return the commit that is checked out, with a mark when the tree differs from it."""
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
