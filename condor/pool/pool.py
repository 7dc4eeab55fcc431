"""Manage the pool as a whole: start, run something on it, break a node, stop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from condor.pool.cache import cache
from condor.pool.cgroups import Groups
from condor.pool.files import CERTIFICATES, make_mount_points, write_files
from condor.pool.machine import why_no_memory_limits, why_not
from condor.pool.nodes import ACCESS_POINT, BUILD, EXECUTE_POINTS, USER_ID, Bind, Node, User
from condor.pool.rootfs import NODES
from condor.pool.sandbox import SYSTEM_PATH, Running, inside, kill_node, start_network, start_node

PROJECT = Path(__file__).resolve().parents[2]

#: A healthy pool is ready in a few seconds.
READY_S = 60
POLL_S = 0.1


class PoolError(RuntimeError):
    """Raised when a pool cannot start, is not there, or does not become ready."""


@dataclass(frozen=True)
class Pool:
    """Control a running pool, whose whole state is on disk, so that another process can find and stop it.

    Attributes
    ----------
    name : several pools may run side by side
    nodes : its machines
    user : who submits jobs
    binds : folders that the access point and the build node see, and execute points if they are `everywhere`
    """

    name: str
    nodes: tuple[Node, ...]
    user: User
    binds: tuple[Bind, ...]

    # --- life -------------------------------------------------------------------------------------------

    @classmethod
    def start(
        cls,
        name: str = "pool",
        nodes: Sequence[Node] = (ACCESS_POINT, *EXECUTE_POINTS, BUILD),
        user: User | None = None,
        binds: Sequence[Bind] = (),
    ) -> Pool:
        """Start a pool and wait until it takes jobs.

        Parameters
        ----------
        binds : folders seen beside the project, its environment and the Python below it, which are
            always seen and cannot be written

        Raises
        ------
        PoolError
            where this machine can have none, where one of this name runs, or when it does not come up
        """
        reason = why_not()
        if reason:
            raise PoolError(f"{reason}. Where a pool exists already, set ANISWEEP_POOL=system.")
        if (cache() / "pools" / name).exists():
            raise PoolError(
                f"A pool {name!r} runs, or was left behind. `make pool-stop NAME={name}` ends it; "
                "then start it again."
            )

        NODES.make()
        pool = cls(name, tuple(nodes), user or User(), (*_project_binds(), *binds))

        try:
            pool._bring_up()
        except BaseException:
            pool.stop()
            raise
        return pool

    @classmethod
    def found(cls, name: str = "pool") -> Pool:
        """Return the pool of this name, started by another process.

        Raises
        ------
        PoolError
            when there is none
        """
        file = cache() / "pools" / name / "pool.json"
        if not file.exists():
            raise PoolError(f"No pool {name!r} runs. `make pool` starts one.")

        plain = json.loads(file.read_text())
        return cls(
            name=name,
            nodes=tuple(Node(**node) for node in plain["nodes"]),
            user=User(**plain["user"]),
            binds=tuple(Bind(**{**bind, "source": Path(bind["source"])}) for bind in plain["binds"]),
        )

    def stop(self) -> None:
        """End every process of the pool, and remove its cgroups and its disks, the queue included."""
        for node in self.nodes:
            self.kill(node.name)

        network = Running.read(self.folder / "network.json")
        if network:
            network.kill()

        for node in self.nodes:
            groups = self._groups(node)
            if groups:
                groups.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self, name: str) -> None:
        """End a node at once, as a power cut does; its disk stays."""
        running = self._running(name)
        if running:
            kill_node(running)

    def restart(self, name: str) -> None:
        """Start a node again over its disk (an access point with its queue); wait until the pool is whole.

        The collector lives on the access point and forgets every slot with it, so the other nodes must
        have reported again, too.
        """
        self.kill(name)
        since = int(time.time())
        self._start_node(self.node(name))
        self._wait_until_ready([self.node(name)], since)
        self._wait_until_ready([node for node in self.nodes if self.running(node.name)], since=0)

    # --- use --------------------------------------------------------------------------------------------

    def run(
        self,
        *command: str,
        cwd: str = "",
        node: str = "ap",
        timeout: float | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the ordinary user, on the access point or the build node.

        Parameters
        ----------
        cwd : the user's home when empty
        environment : beside HOME, USER, PATH (which holds the project's environment) and, on the build
            node, the machine's own settings for pip
        """
        return subprocess.run(
            self.as_user(*command, cwd=cwd, node=node, **environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def as_user(self, *command: str, cwd: str = "", node: str = "ap", **environment: str) -> list[str]:
        """Return the command that `run` runs, for those who start and follow it themselves."""
        user = self.user
        given = {
            "HOME": user.home,
            "USER": user.name,
            "LOGNAME": user.name,
            "PATH": f"{sys.prefix}/bin:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            **(_network_settings() if self.node(node).role == "build" else {}),
            **environment,
        }
        become = ["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--init-groups", "--inh-caps=-all"]
        variables = [f"{name}={value}" for name, value in given.items()]
        place = ["env", "--ignore-environment", f"--chdir={cwd or user.home}"]
        return inside(self._alive(node), [*become, *place, *variables, *command])

    def on(self, node: str, *command: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as root on a node."""
        return subprocess.run(
            inside(self._alive(node), ["env", f"PATH={SYSTEM_PATH}", *command]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @property
    def folder(self) -> Path:
        """Return the folder with the disks of the nodes."""
        return cache() / "pools" / self.name

    @property
    def home(self) -> Path:
        """Return the user's home as the machine sees it; what is put there must be given: see `give`."""
        return self.folder / "home"

    def give(self, path: Path) -> str:
        """Make a file or folder in `home` the user's own, and return its path as the user sees it."""
        for each in (path, *path.rglob("*")):
            os.chown(each, USER_ID, USER_ID, follow_symlinks=False)
        return f"{self.user.home}/{path.relative_to(self.home)}"

    def node(self, name: str) -> Node:
        """Return a node by its host name; the access point and the build node also as `ap` and `build`."""
        for node in self.nodes:
            if name in (node.name, node.role):
                return node
        raise PoolError(f"no node {name!r}; this pool has {', '.join(node.name for node in self.nodes)}")

    def running(self, name: str) -> bool:
        """Return True if a node is up."""
        return self._running(name) is not None

    # --- inner parts ------------------------------------------------------------------------------------

    def _bring_up(self) -> None:
        self.home.mkdir(parents=True)
        os.chown(self.home, USER_ID, USER_ID)
        (self.folder / "pool.json").write_text(json.dumps(asdict(self), default=str, indent=1))
        key = os.urandom(64)

        start_network().write(self.folder / "network.json")
        for node in self.nodes:
            upper = self._disk(node) / "upper"
            write_files(upper, NODES.folder, node, self.nodes, self.user, key)
            make_mount_points(upper, NODES.folder, self._binds_of(node))
            self._start_node(node)

        self._wait_until_ready(self.nodes, since=0)

    def _start_node(self, node: Node) -> None:
        network = None if node.role == "build" else Running.read(self.folder / "network.json")
        groups = self._groups(node)
        if groups:
            groups.make()

        running = start_node(self._disk(node), NODES.folder, node.name, self._binds_of(node), network, groups)
        running.write(self._disk(node) / "process.json")

    def _wait_until_ready(self, nodes: Sequence[Node], since: int) -> None:
        """Wait until each of these nodes' daemons has answered that it started after ``since`` (seconds)."""
        waiting = [node for node in nodes if node.role != "build"]
        end = time.monotonic() + READY_S

        while waiting:
            waiting = [node for node in waiting if not self._answers(node, since)]
            if waiting and time.monotonic() > end:
                raise PoolError(self._not_ready(waiting))
            time.sleep(POLL_S if waiting else 0)

    def _answers(self, node: Node, since: int) -> bool:
        kind = ["-schedd"] if node.role == "ap" else []
        ready = f'Machine == "{node.name}" && DaemonStartTime >= {since}'
        asked = self.on("ap", "condor_status", *kind, "-constraint", ready, "-af", "Machine")
        return asked.stdout.strip() != ""

    def _not_ready(self, waiting: Sequence[Node]) -> str:
        """Return what the daemons said last, since the disks go with the pool."""
        said = []
        for node in waiting:
            logs = sorted((self._disk(node) / "upper" / "var" / "log" / "condor").glob("*Log"))
            last = [log.read_text(errors="replace").splitlines()[-3:] for log in logs]
            said += [
                f"{node.name} {log.name}: {line}"
                for log, lines in zip(logs, last, strict=True)
                for line in lines
            ]
        names = ", ".join(node.name for node in waiting)
        return f"{names}: not ready within {READY_S} s. The last lines of the logs:\n" + "\n".join(said)

    def _binds_of(self, node: Node) -> tuple[Bind, ...]:
        """Return the binds of a node; execute points share nothing else with the access point."""
        home = Bind(self.home, self.user.home, writable=True)
        everywhere = tuple(bind for bind in self.binds if bind.everywhere)
        return everywhere if node.role == "ep" else (*self.binds, home)

    def _groups(self, node: Node) -> Groups | None:
        wanted = node.role == "ep" and not why_no_memory_limits()
        return Groups(f"anisweep-{self.name}-{node.name}") if wanted else None

    def _disk(self, node: Node) -> Path:
        return self.folder / "nodes" / node.name

    def _running(self, name: str) -> Running | None:
        return Running.read(self._disk(self.node(name)) / "process.json")

    def _alive(self, name: str) -> Running:
        running = self._running(name)
        if running is None:
            raise PoolError(f"node {name!r} is not running: `restart` it first")
        return running


def _project_binds() -> tuple[Bind, ...]:
    """Return the project, its environment, and the Python that this environment was made from."""
    folders = [PROJECT, Path(sys.prefix), *_python()]
    outer = [
        one for one in folders if not any(one != other and one.is_relative_to(other) for other in folders)
    ]
    return tuple(Bind(folder) for folder in dict.fromkeys(outer))


def _python() -> list[Path]:
    """Return the interpreter and its library.

    Debian's own is given no further than this: nodes have a /usr themselves.
    """
    if sys.base_prefix != "/usr":
        return [Path(sys.base_prefix)]

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    wheels = Path("/usr/share/python-wheels")  # of pip, for environments that are made in a node
    parts = [Path("/usr/bin", version), Path("/usr/lib", version), wheels]
    return [part for part in parts if part.exists()]


def _network_settings() -> Mapping[str, str]:
    """Return how this machine's pip reaches packages, with the certificates where a node has them."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    trusted = {name: str(CERTIFICATES) for name in ("PIP_CERT", "SSL_CERT_FILE") if name in os.environ}
    return {**settings, **trusted}
