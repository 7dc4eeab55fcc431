"""Define what a pool is made of: nodes, the ordinary user, and the folders that some nodes see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: `ap` is collector, negotiator and schedd; `ep` a startd; `build` has no HTCondor but the machine's
#: own network, and so is the place where images are built.
Role = Literal["ap", "ep", "build"]

#: The number of the ordinary user. It has no entry in /etc/subuid, as on a cluster.
USER_ID = 12000


@dataclass(frozen=True)
class User:
    """Describe the ordinary user: any name and home will do, also a home with spaces and accents."""

    name: str = "alice"
    home: str = "/home/alice"


@dataclass(frozen=True)
class Bind:
    """Describe a folder or file of the machine that access point and build node see.

    Attributes
    ----------
    source : where it is on the machine
    target : its path inside; the same one when empty
    writable : whether the nodes may change it
    everywhere : whether execute points see it, too, as those of CHTC see /staging; else they see none
    """

    source: Path
    target: str = ""
    writable: bool = False
    everywhere: bool = False

    @property
    def inside(self) -> str:
        """Return the path inside the node."""
        return self.target or str(self.source)


@dataclass(frozen=True)
class Node:
    """Describe one machine of the pool.

    Attributes
    ----------
    name : its host name
    role : `ap`, `ep` or `build`
    port : of its shared port daemon; each node needs its own, since all have the address 127.0.0.1
    cpus, memory_mb : what an execute point offers, whatever the machine has
    config : more lines of HTCondor configuration, for example another microarchitecture
    """

    name: str
    role: Role
    port: int = 0
    cpus: int = 2
    memory_mb: int = 4096
    config: str = ""


ACCESS_POINT = Node("ap", "ap", 9618)
EXECUTE_POINTS = (Node("ep1", "ep", 9620), Node("ep2", "ep", 9621))
BUILD = Node("build", "build")
