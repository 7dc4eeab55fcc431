"""The process of a node: namespaces of its own over an overlay on disk, entered and ended by its id."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from condor.pool.cgroups import Groups
from condor.pool.describe import Bind

#: Mounts the overlay where nobody else sees it, and becomes what follows.
MOUNT = 'cd "$1" && mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" merged && shift 2 && exec "$@"'

#: What a node does. HTCondor wants folders that a fresh /run does not have.
MASTER = "chown condor:condor /run/condor /run/lock/condor && exec condor_master -f"
NOTHING = "exec sleep infinity"

#: A process that is killed is gone long before; this only bounds a kernel in trouble.
GONE_S = 20


@dataclass(frozen=True)
class Running:
    """A process that we started, known by its number and its birth, since numbers are used again."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> Running:
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def read(cls, file: Path) -> Running | None:
        """What `write` wrote, if it still runs."""
        if not file.exists():
            return None

        found = cls(**json.loads(file.read_text()))
        return found if found.process() else None

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    def process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same else None

    def kill(self) -> None:
        """End it with SIGKILL, and with it all in its process namespace; wait until it is gone."""
        process = self.process()
        if process is None:
            return

        parent = process.parent()
        process.kill()
        process.wait(GONE_S)

        # bwrap watches the first process of a node and ends with it; as our child it waits to be collected.
        if parent is not None and parent.ppid() == os.getpid():
            parent.wait(GONE_S)


def start_network() -> Running:
    """A network that has only the loopback device. It lasts as long as a process is in it."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # whoever reads ours would wait for the end of the pool
        start_new_session=True,
    )
    assert holder.stdout is not None

    if holder.stdout.readline() != b"up\n":
        raise OSError("no network namespace can be made (`unshare --net` failed): see `dmesg`")
    return Running.of(holder.pid)


def start_node(
    folder: Path,
    root: Path,
    hostname: str,
    binds: Sequence[Bind],
    network: Running | None,
    groups: Groups | None,
) -> Running:
    """Start a node over its files in ``folder`` and return its first process.

    Parameters
    ----------
    folder : holds the writable layer in ``upper``; the node's disk, which outlives it
    root : the common root file system
    network : the pool's; without it the node has the machine's own network and runs no HTCondor
    groups : the cgroups of its jobs, where the kernel has them
    """
    for name in ("upper", "work", "merged"):
        (folder / name).mkdir(exist_ok=True)

    net = [] if network is None else ["nsenter", f"--net=/proc/{network.pid}/ns/net", "--"]
    mount = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", MOUNT, "sh"]
    mounted = [*mount, str(folder), str(root)]
    cgroups = groups.bwrap_options() if groups else []
    init = ["sh", "-c", NOTHING if network is None else MASTER]

    reader, writer = os.pipe()
    bwrap = [*_bwrap(folder, hostname, binds), *cgroups, "--info-fd", str(writer), "--"]

    with (folder / "log").open("ab") as log:
        subprocess.Popen(
            [*net, *mounted, *bwrap, *init],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,
        )
    os.close(writer)

    return Running.of(_first_process(reader, folder / "log"))


def inside(running: Running, command: Sequence[str]) -> list[str]:
    """The command that runs another one as root inside a node."""
    options = ["--mount", "--uts", "--ipc", "--net", "--pid"]
    return ["nsenter", "--target", str(running.pid), *options, "--", *command]


def _bwrap(folder: Path, hostname: str, binds: Sequence[Bind]) -> list[str]:
    fuse = folder / "fuse"
    if not fuse.exists():
        os.mknod(fuse, 0o020666, os.makedev(10, 229))
        fuse.chmod(0o666)

    shared = [
        option
        for bind in binds
        for option in ("--bind" if bind.writable else "--ro-bind", str(bind.source), bind.inside)
    ]
    return [
        *("bwrap", "--bind", "merged", "/", "--proc", "/proc", "--bind", "/sys", "/sys"),
        # Ordinary users mount images through it, which the machine's own device may forbid.
        *("--dev-bind", "/dev", "/dev", "--dev-bind", str(fuse), "/dev/fuse"),
        *("--tmpfs", "/run", "--dir", "/run/lock", "--dir", "/run/condor", "--dir", "/run/lock/condor"),
        # What bwrap creates is closed to others.
        *("--chmod", "0755", "/run", "--chmod", "0755", "/run/lock"),
        *shared,
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", hostname),
        *("--cap-add", "ALL", "--chdir", "/"),
    ]


def _first_process(reader: int, log: Path) -> int:
    """The number that bwrap reports."""
    with os.fdopen(reader) as stream:
        text = stream.read()

    try:
        return int(json.loads(text)["child-pid"])
    except (ValueError, KeyError):
        said = log.read_text(errors="replace").strip() or "it said nothing"
        raise OSError(f"a node did not start: {said} (the whole is in {log})") from None
