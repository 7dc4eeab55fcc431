"""Write the files of a node, which distinguish it from the common root file system, before it starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from string import Template

from condor.pool.nodes import USER_ID, Bind, Node, User

HERE = Path(__file__).parent

#: Where Debian and its programs look for the authorities they trust.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def write_files(upper: Path, root: Path, node: Node, nodes: Sequence[Node], user: User, key: bytes) -> None:
    """Fill the writable layer of a node.

    Parameters
    ----------
    upper : the layer, empty
    root : the common root file system
    nodes : all nodes, which know each other by name
    key : of the pool; who holds it is trusted
    """
    etc = upper / "etc"
    etc.mkdir(parents=True)
    names = " ".join(each.name for each in nodes)
    (etc / "hosts").write_text(f"127.0.0.1 {node.name} {names} localhost\n")

    _write_user(etc, root, user)
    if node.role == "build":
        _write_network(etc)
    else:
        _write_condor(etc / "condor", node, key)
        (etc / "resolv.conf").write_text("")


def make_mount_points(upper: Path, root: Path, binds: Sequence[Bind]) -> None:
    """Make a place for each bind, on a way that everybody may walk: /root, for one, is closed otherwise."""
    for bind in binds:
        point = upper / bind.inside.lstrip("/")
        if bind.source.is_file():
            point.parent.mkdir(parents=True, exist_ok=True)
            point.touch()
        else:
            point.mkdir(parents=True, exist_ok=True)

        while point != upper:
            below = root / point.relative_to(upper)
            mode = below.stat().st_mode if below.exists() else 0o755
            point.chmod(mode & 0o7777 | 0o055)
            point = point.parent


def _write_user(etc: Path, root: Path, user: User) -> None:
    """Add the ordinary user, under the same number on every node."""
    added = {
        "passwd": f"{user.name}:x:{USER_ID}:{USER_ID}::{user.home}:/bin/bash\n",
        "group": f"{user.name}:x:{USER_ID}:\n",
    }
    for name, line in added.items():
        (etc / name).write_text((root / "etc" / name).read_text() + line)


def _write_network(etc: Path) -> None:
    """Copy the machine's way to the world: its name servers and the authorities it trusts."""
    shutil.copy("/etc/resolv.conf", etc)
    trusted = Path(os.environ.get("SSL_CERT_FILE", CERTIFICATES))

    if trusted.exists():
        copy = etc.parent / CERTIFICATES.relative_to("/")
        copy.parent.mkdir(parents=True)
        shutil.copy(trusted, copy)


def _write_condor(folder: Path, node: Node, key: bytes) -> None:
    """Write HTCondor's configuration in place of Debian's, and the pool's key."""
    config = folder / "config.d"
    config.mkdir(parents=True)
    (config / "00-minicondor").write_text("# a pool of one machine is not wanted here\n")

    parts = [(HERE / name).read_text() for name in ("common.conf", f"{node.role}.conf")]
    values = {"port": node.port, "cpus": node.cpus, "memory_mb": node.memory_mb}
    text = Template("\n".join(parts)).substitute(values)
    (config / "99-pool").write_text(f"{text}\n{node.config}\n")

    passwords = folder / "passwords.d"
    passwords.mkdir(mode=0o700)
    (passwords / "POOL").touch(mode=0o600)
    (passwords / "POOL").write_bytes(key)
