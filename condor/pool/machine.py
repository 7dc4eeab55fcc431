"""Check what the machine must have for a pool: root on Debian, a few programs, and cgroups."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from condor.pool.cache import alone

#: Programs that start nodes and make root file systems, by the Debian package that has them.
PROGRAMS = {"bwrap": "bubblewrap", "mmdebstrap": "mmdebstrap", "ip": "iproute2"}

#: The controllers that HTCondor asks for. It knows cpu and cpuacct by one name.
CONTROLLERS = {"memory": "memory", "cpu": "cpu,cpuacct", "devices": "devices", "freezer": "freezer"}

CGROUPS = Path("/sys/fs/cgroup")


def why_not() -> str:
    """Say why this machine cannot have a pool; empty when it can."""
    if os.geteuid() != 0:
        return "no root: the test pool needs it to make its nodes"
    if shutil.which("apt-get") is None:
        return "no root on a Debian machine: the test pool is made from Debian's packages"
    return ""


def why_no_memory_limits() -> str:
    """Say why HTCondor cannot limit a job's memory here; empty when it can."""
    absent = [name for name in CONTROLLERS if not (CGROUPS / name / "cgroup.procs").exists()]
    return f"no cgroups (version 1) of {', '.join(absent)}" if absent else ""


def install_programs() -> None:
    """Install what is missing, after saying so."""
    with alone("programs"):
        missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
        if missing:
            _install(missing)


def _install(missing: list[str]) -> None:
    print(f"Installing Debian's {', '.join(missing)} (about 2 MB).", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], check=True)
    subprocess.run(
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing],
        env=quiet,
        stdout=subprocess.DEVNULL,
        check=True,
    )
