"""Pack our code into one small wheel that is sent with jobs, is named by its content, and needs no compiler.

The image that it meets there holds what it depends on, and the kernels as they were when it was built.
"""

from __future__ import annotations

import hashlib
import zipfile
from importlib.metadata import version
from io import BytesIO

from anisweep.config.project import Project
from anisweep.files import write_bytes
from anisweep.source import PACKAGE

VERSION = version("anisweep")

#: One date for all members, so that the same code is the same file.
LONG_AGO = (1980, 1, 1, 0, 0, 0)

METADATA = """\
Metadata-Version: 2.1
Name: anisweep
Version: {version}
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: anisweep
Root-Is-Purelib: true
Tag: py3-none-any
"""


def write_wheel(project: Project) -> str:
    """Write the wheel of the running package, unless it is there, and return its path in the project."""
    content = _content()
    digest = hashlib.sha256(content).hexdigest()[:12]
    path = f"results/code/anisweep-{VERSION}+{digest}-py3-none-any.whl"

    if not (project.root / path).exists():
        write_bytes(project.root / path, content)
    return path


def _content() -> bytes:
    """Return the bytes of the wheel: everything in the package that is no result of running it."""
    stream = BytesIO()
    members = {
        path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes()
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }
    about = f"anisweep-{VERSION}.dist-info"
    members[f"{about}/METADATA"] = METADATA.format(version=VERSION).encode()
    members[f"{about}/WHEEL"] = WHEEL.encode()
    members[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*members, f"{about}/RECORD"]).encode()

    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
