"""Archives: an odd member is refused by itself, and every good one is read, whatever stands beside it."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from anisweep.bundles.archive import Member, Refused, members
from anisweep.bundles.old_tables import parse, table_name
from fuzz.campaign import Input, Target
from fuzz.mutation import WORDS, changed
from fuzz.words import check_words

TABLE = b"file,mode,wall_s\na.xyz,numpy_only,1.5\nb.xyz,torch_full,0.5\n"
NAMES = ("../x", "/etc/x", "a\x1b[2J", "", "C:x", "caf\udce9", "x" * 3000, "a//b", "con/", ".", "good-0.csv")
KINDS = (
    *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, b"S", b"x", b"Q"),
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)

Good = dict[str, bytes]


def make(rng: random.Random) -> Input:
    """An archive of good members with odd ones among them, or one with damaged bytes, or a table."""
    good = {f"good-{number}.csv": changed(rng, TABLE) for number in range(rng.randint(1, 4))}
    way: Callable[[random.Random, Good], bytes] = rng.choice((_tar, _zip))
    content = way(rng, good)
    kind = rng.random()

    if kind < 0.5:
        return Input(content, good)
    if kind < 0.9:
        return Input(changed(rng, content))
    return Input(changed(rng, TABLE, (*WORDS, b",", b'"')))


def _tar(rng: random.Random, good: Good) -> bytes:
    stream = io.BytesIO()
    mode = rng.choice(("w", "w:gz"))
    style = rng.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))

    with tarfile.open(fileobj=stream, mode=mode, format=style, errors="surrogateescape") as tar:  # type: ignore[call-overload]
        for name, content in good.items():
            _add(tar, tarfile.TarInfo(name), content)
            if rng.random() < 0.5:
                odd = tarfile.TarInfo(rng.choice(NAMES))
                odd.type = rng.choice((tarfile.REGTYPE, *KINDS[:5]))
                odd.linkname = "/etc/passwd"
                _add(tar, odd, b"odd" if odd.isreg() else b"")
    return stream.getvalue()


def _add(tar: tarfile.TarFile, info: tarfile.TarInfo, content: bytes) -> None:
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _zip(rng: random.Random, good: Good) -> bytes:
    """The last byte of an odd member's content is another one, so its checksum is wrong."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in good.items():
            archive.writestr(name, content, rng.choice(METHODS[:2]))
            if rng.random() < 0.5:
                archive.writestr(f"odd-of-{name}", b"what is odd about it: MARK", rng.choice(METHODS[:1]))

    return stream.getvalue().replace(b"MARK", b"MARX" if rng.random() < 0.5 else b"MARK")


def check(given: Input, folder: Path) -> None:
    file = folder / "some.archive"
    file.write_bytes(given.content)
    found = list(members(file))
    read: Good = {}

    for each in found:
        if isinstance(each, Refused):
            check_words(f"{each.name!a}: {each.why}")
        else:
            read[each.name] = each.content
            _parse(each)

    for name, content in (given.right or {}).items():
        assert read.get(name) == content, f"the good {name} is hidden: {found}"


def _parse(member: Member) -> None:
    """Read a member as a table, whatever its name says."""
    for name in (member.name, "timings_local.csv", "a.metrics.json"):
        if table_name(name):
            for refused in parse(Member(name, member.content), "local").refused:
                check_words(f"{refused.name!a}: {refused.why}")


TARGET = Target("archive", make, check)
