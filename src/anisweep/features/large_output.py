"""Keep shards that are too large for file transfer in a folder that jobs write to and the access point sees.

What comes home from such a job is a receipt: an .npz file with the provenance of the shard, its place, its
size and its digest. It lies where the shard would, and counts as it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from anisweep.datasets.errors import DataError
from anisweep.describe import format_npz
from anisweep.files import open_plain, sha256_of, whole
from anisweep.parsing.schema import build
from anisweep.parsing.storage_url import path_of

#: What a job calls its shard until HTCondor takes it to its place.
LARGE = "large.npz"

#: The member of a receipt that says where the shard is; a shard has none of this name.
MEMBER = "large"

#: A receipt has at most so many bytes, so larger files need not be opened to know that they are none.
MOST_BYTES = 2**17


@dataclass(frozen=True)
class LargeOutput:
    """Say where a shard is, and how to know it again."""

    url: str
    bytes: int
    sha256: str

    @property
    def place(self) -> Path:
        """Return where this machine sees it."""
        return path_of(self.url)


def write_receipt(made: Path, url: str, receipt: Path) -> None:
    """Write the receipt for a shard that HTCondor will take to a URL."""
    large = LargeOutput(url, made.stat().st_size, sha256_of(made))
    with whole(receipt) as stream, zipfile.ZipFile(stream, "w") as zipped:
        format_npz.write_array(zipped, "provenance", np.array(format_npz.provenance_of(made)))
        format_npz.write_array(zipped, MEMBER, np.array(json.dumps(asdict(large))))


def large_output_of(shard: Path) -> LargeOutput | None:
    """Return where the shard is that a file is the receipt for; None for one that is a shard itself.

    Raises
    ------
    ValueError
        When the file is damaged.
    """
    if shard.stat().st_size > MOST_BYTES:
        return None
    try:
        with open_plain(shard) as stream, zipfile.ZipFile(stream) as zipped:
            if f"{MEMBER}.npy" not in zipped.namelist():
                return None
            return build(LargeOutput, json.loads(str(format_npz.read_array(zipped, MEMBER))))
    except format_npz.UNREADABLE as error:
        raise ValueError(f"{shard.name}: cannot be read ({error})") from error


def check_is_there(shard: Path) -> None:
    """Refuse a receipt whose shard is gone from its folder, or has another size.

    Where the folder itself is not seen, as on a laptop, nothing is known, and the shard counts as there.

    Raises
    ------
    ValueError
        Saying what is wrong.
    """
    large = large_output_of(shard)
    if large is None or not large.place.parent.is_dir():
        return
    size = large.place.stat().st_size if large.place.is_file() else None
    if size != large.bytes:
        came = "is gone" if size is None else f"has {size:,} bytes"
        raise ValueError(f"{large.place}: {came}. Allowed: the shard of {large.bytes:,} bytes that was made")


def content_of(shard: Path) -> Path:
    """Return the file with the content of a shard: for a receipt another one, whose digest is compared.

    Raises
    ------
    DataError
        When the content is not seen here, or is not what the job made.
    """
    large = large_output_of(shard)
    if large is None:
        return shard

    place = large.place
    if not place.is_file():
        remedy = "join the shards on the access point, which sees the folder, and fetch the output"
        raise DataError(str(place), "this machine does not see it", "the shard that a job left there", remedy)
    if sha256_of(place) != large.sha256:
        remedy = f"remove {place} and run the same command again, which computes this shard anew"
        raise DataError(str(place), "it is not what its job made", f"SHA-256 {large.sha256}", remedy)
    return place
