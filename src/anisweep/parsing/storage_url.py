"""Read the URLs of folders that jobs write to and the access point sees, as CHTC's /staging."""

from __future__ import annotations

import re
from pathlib import Path

#: Of the name by which jobs know a folder, and the one that this machine has for it.
URL = re.compile(r"(?:file://|osdf:///chtc)(/[\w.+-]+(?:/[\w.+-]+)*)/?", re.ASCII)


def path_of(url: str) -> Path:
    """Return where this machine sees what jobs write to a URL.

    Raises
    ------
    ValueError
        When it is none of the two kinds of which that is known.
    """
    found = URL.fullmatch(url)
    if not found or ".." in found[1].split("/"):
        raise ValueError(
            f"{url!a} is not allowed. Allowed: file:///FOLDER, or at CHTC osdf:///chtc/staging/FOLDER, of "
            "letters, digits and _ . + -. Correct it."
        )
    return Path(found[1])
