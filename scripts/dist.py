#!/usr/bin/env python3
"""Build what a release consists of into dist/ (`make dist`): sources and wheels of both distributions.

Wheels of the library hold compiled kernels, for Linux on x86-64 and on aarch64. Zig knows the symbols of
every glibc and links them against an old one, so that they also run on old systems. Kernels for x86-64 are
compiled by GCC, as everywhere else; those for aarch64 by Zig, which is a cross compiler.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXECUTOR = ROOT / "condor" / "executor"
TOOLS = Path(sys.executable).parent

#: The oldest glibc that wheels run on: that of CentOS 7, and the first one for aarch64.
GLIBC = "2.17"

#: Zig's own memcpy and memset stay out: those of glibc are faster, and chosen by the CPU.
LINK = ("-shared", "-s", "-nostdlib", "-lc", "-lm", "-lpthread")


@dataclass(frozen=True)
class Target:
    """A kind of processor that gets a wheel."""

    machine: str
    compiler: str

    @property
    def environment(self) -> dict[str, str]:
        """Return what setuptools reads: the platform to build for, the compiler and the linker."""
        zig = [sys.executable, "-m", "ziglang", "cc", "-target", f"{self.machine}-linux-gnu.{GLIBC}"]
        linker = [*zig, *LINK, *([] if self.compiler == "zig" else [gcc_runtime()])]
        return {
            "_PYTHON_HOST_PLATFORM": f"linux-{self.machine}",
            "CC": shlex.join(zig) if self.compiler == "zig" else self.compiler,
            "LDSHARED": shlex.join(linker),
        }

    @property
    def tag(self) -> str:
        """Return the tag of the oldest system that the wheel must run on."""
        return f"manylinux_{GLIBC.replace('.', '_')}_{self.machine}"


TARGETS = (Target("x86_64", compiler="gcc"), Target("aarch64", compiler="zig"))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit(f"Wheels are built on Linux on x86-64; this is {platform.system()} on {platform.machine()}.")

    remove_old(folder)
    build(EXECUTOR, folder)
    build_library(folder)

    for path in built(folder):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


def gcc_runtime() -> str:
    """Return the library with what GCC's code calls: the question which instructions the CPU has."""
    return run("gcc", "-print-libgcc-file-name").strip()


def built(folder: Path) -> list[Path]:
    """Return the distributions in a folder."""
    return sorted([*folder.glob("*.tar.gz"), *folder.glob("*.whl")])


def remove_old(folder: Path) -> None:
    """Remove distributions of an earlier build, which would be taken for those of this one."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in built(folder):
        path.unlink()


def build_library(folder: Path) -> None:
    """Build the source distribution, and from that the wheels: what it lacks is found now, not by users."""
    build(ROOT, folder, "--sdist")
    (source,) = folder.glob("anisweep-*.tar.gz")

    for target in TARGETS:
        with tempfile.TemporaryDirectory() as scratch:
            build(source, Path(scratch), "--wheel", **target.environment)
            (wheel,) = Path(scratch).glob("*.whl")
            run("auditwheel", "repair", "--wheel-dir", str(folder), str(wheel))

        if not list(folder.glob(f"anisweep-*{target.tag}*.whl")):
            tags = ", ".join(path.name for path in folder.glob("*.whl"))
            sys.exit(f"auditwheel found that a wheel does not run on {target.tag}; there are: {tags}.")


def build(project: Path, folder: Path, *options: str, **environment: str) -> None:
    """Build distributions with the setuptools of this environment, whose version is locked."""
    command = ["uv", "build", "--quiet", "--no-build-isolation", "--no-create-gitignore"]
    where = ["--python", sys.executable, "--out-dir", str(folder)]
    run(*command, *options, *where, str(project), **environment)


def run(*command: str, **environment: str) -> str:
    """Return what a command says; when it fails, that is shown, and nothing else is built."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which(command[0], path=path)
    if program is None:
        sys.exit(
            f"There is no {command[0]} here. Your system has gcc (apt-get install gcc), `make env` the rest."
        )

    done = subprocess.run(
        [program, *command[1:]],
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        line = shlex.join(command)
        sys.exit(f"{done.stdout}\n`{line}` failed (status {done.returncode}); what it said is above.")
    return done.stdout


if __name__ == "__main__":
    main()
