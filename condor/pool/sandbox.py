"""Run the process of a node: namespaces of its own over an overlay on disk, entered and ended by its id."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from condor.pool.cgroups import Groups
from condor.pool.nodes import Bind

#: Mounts the overlay where nobody else sees it, and becomes what follows.
MOUNT = """\
set -e
cd "$1"
mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" merged
shift 2
exec "$@"
"""

#: Makes the root complete, and gives a sign of it. bwrap covers parts of /proc, and where any is covered the
#: kernel lets no container have a /proc of its own, so here is a fresh one. HTCondor wants its own folders.
READY = "mount -t proc proc /proc && chown condor:condor /run/condor /run/lock/condor && touch /run/up"

#: Of the nodes, whatever the user's own is.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

#: What a node does then.
MASTER = f"{READY} && exec condor_master -f"
NOTHING = f"{READY} && exec sleep infinity"

#: A process that is killed is gone long before, and one that starts is up; this bounds a machine in trouble.
PATIENCE_S = 20
POLL_S = 0.01


@dataclass(frozen=True)
class Running:
    """Identify a process that we started by its number and its birth, since numbers are used again."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> Running:
        """Return the process of this number."""
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def read(cls, file: Path) -> Running | None:
        """Return what `write` wrote, if it still runs."""
        if not file.exists():
            return None

        found = cls(**json.loads(file.read_text()))
        return found if found.process() else None

    def write(self, file: Path) -> None:
        """Write number and birth to a file."""
        file.write_text(json.dumps(asdict(self)))

    def process(self) -> psutil.Process | None:
        """Return the process, or None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            same = process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same else None

    def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone; with the first process of a node ends all of it."""
        process = self.process()
        if process is not None:
            process.kill()
            process.wait(PATIENCE_S)


def start_network() -> Running:
    """Start a network that has only the loopback device; it lasts as long as a process is in it."""
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
    init = ["env", f"PATH={SYSTEM_PATH}", "sh", "-c", NOTHING if network is None else MASTER]

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

    running = Running.of(_first_process(reader, folder / "log"))
    try:
        _wait_until_up(running, folder / "log")
    except OSError:
        kill_node(running)
        raise
    return running


def kill_node(running: Running) -> None:
    """End a node as a power cut does; its disk is free afterwards."""
    process = running.process()
    watcher = process.parent() if process else None
    running.kill()

    # bwrap, which holds the mount of the disk until it has seen its child end.
    if watcher is not None:
        watcher.wait(PATIENCE_S)


def inside(running: Running, command: Sequence[str]) -> list[str]:
    """Return the command that runs another one as root inside a node."""
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
    """Return the number that bwrap reports."""
    with os.fdopen(reader) as stream:
        text = stream.read()

    try:
        return int(json.loads(text)["child-pid"])
    except (ValueError, KeyError):
        raise OSError(_did_not_start(log)) from None


def _wait_until_up(running: Running, log: Path) -> None:
    """Wait until a node has its root.

    bwrap names the process before it has made its root, and who enters earlier lands elsewhere.
    """
    sign = Path("/proc", str(running.pid), "root", "run", "up")
    end = time.monotonic() + PATIENCE_S

    while not sign.exists():
        if running.process() is None or time.monotonic() > end:
            raise OSError(_did_not_start(log))
        time.sleep(POLL_S)


def _did_not_start(log: Path) -> str:
    said = log.read_text(errors="replace").strip() or "it said nothing"
    return f"a node did not start: {said}"
