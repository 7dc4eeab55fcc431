"""Say under which names HTCondor carries files, whose lists give some letters a meaning of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Between the columns of the table: HTCondor's own separator for values that hold spaces and commas.
SEPARATOR = "\x1f"

#: What HTCondor's lists, remaps and macros give a meaning of their own, and no quotation takes away.
FORBIDDEN = frozenset(',;="\\$\n\r' + SEPARATOR)


def why_not(path: str) -> str:
    """Say why an output or a log of this name cannot come home; empty when it can."""
    if is_outside(path):
        return f"{path}: lies outside the project. Declare what jobs make by paths inside it, relative to it"
    return why_no_text(path)


def why_no_text(path: str) -> str:
    """Say why no job can be told of a file of this name; empty when it can."""
    if any("\udc80" <= letter <= "\udcff" for letter in path):
        return f"{path!a}: its name is no UTF-8. Rename the file"
    return ""


#: Kinds of URLs that HTCondor's own plugins fetch.
FETCHED = {
    *("http", "https", "ftp", "dav", "davs", "osdf", "pelican", "stash"),
    *("s3", "gs", "box", "gdrive", "onedrive"),
}


def name_of(file: Any) -> str:
    """Return the path of an input; or its URL, where Snakemake is told not to retrieve it."""
    stored = getattr(file, "storage_object", None)
    return str(file) if stored is None or stored.retrieve else str(stored.query)


def is_url(path: str) -> bool:
    """Return True if the execute point fetches an input by itself."""
    return "://" in path


def last_name(url: str) -> str:
    """Return the name that HTCondor gives in the job to what it has fetched."""
    return url.rpartition("/")[2]


def why_not_fetched(urls: Iterable[str]) -> Iterator[str]:
    """Say which URLs of one job HTCondor cannot fetch, and why."""
    names: dict[str, str] = {}
    for url in urls:
        name = last_name(url)
        other = names.setdefault(name, url)
        if urlsplit(url).scheme not in FETCHED:
            yield f"{url}: HTCondor cannot fetch this; it can {', '.join(sorted(FETCHED))}"
        elif not name or any(letter in FORBIDDEN | {"?", "#", " "} for letter in url):
            yield f"{url}: HTCondor fetches what ends in a plain file name alone"
        elif other != url:
            yield f"{url} and {other} would both be {name} in the job; give them two names"


def is_outside(path: str) -> bool:
    """Return True if a path does not begin in the project's folder and stay there."""
    return path.startswith("/") or ".." in path.split("/")


def is_plain(path: str) -> bool:
    """Return True if HTCondor can carry a file of this name as it is."""
    odd = path != path.strip() or path.endswith("/") or not FORBIDDEN.isdisjoint(path)
    return not odd and not is_outside(path)


def sent_as(root: Path, batch: str, files: Iterable[str]) -> dict[str, str]:
    """Return for each input the path under which it is sent: its own, or that of a copy made of links.

    The copy has the whole path of the file, so that files which lie beside each other do so in the job.

    Parameters
    ----------
    root : the project
    batch : the batch's folder, relative to the project
    files : relative to the project or absolute
    """
    sent: dict[str, str] = {}
    copied: set[str] = set()
    for file in sorted(set(files)):
        inside = copied and not copied.isdisjoint(map(str, Path(file).parents))
        if is_plain(file) and not inside and not _holds_linked_folders(root / file):
            sent[file] = file
        else:
            sent[file] = _copy(root, batch, file)
            copied.add(file)
    return sent


def _copy(root: Path, batch: str, file: str) -> str:
    parts = [_safe(part) for part in Path(os.path.abspath(root / file)).parts[1:]]
    return "/".join([batch, "inputs", *parts])


def _safe(name: str) -> str:
    """Return a file name without letters that have a meaning of their own."""
    odd = "".join(f"_{ord(letter):x}_" if letter in FORBIDDEN else letter for letter in name)
    return odd if odd == odd.strip() else odd.replace(" ", "_20_")


def _holds_linked_folders(path: Path) -> bool:
    """Return True if a folder is a link, or has one in it: HTCondor refuses to send such."""
    if not path.is_dir():
        return False
    return path.is_symlink() or any(inner.is_symlink() and inner.is_dir() for inner in path.rglob("*"))


def copy_by_links(path: Path, copy: Path) -> None:
    """Make folders in the place of folders, and links to files; HTCondor sends what they lead to."""
    if not path.is_dir():
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            copy.symlink_to(path)
        return

    copy.mkdir(parents=True, exist_ok=True)
    for inner in sorted(path.iterdir()):
        if not path.resolve().is_relative_to(inner.resolve()):  # a link to where it lies itself
            copy_by_links(inner, copy / inner.name)


def rewritten(command: str, places: Mapping[str, str]) -> str:
    """Return a command that finds files from outside the project, and URLs, where they lie in the job.

    It may name them without their endings, as programs name the files of an index.

    Parameters
    ----------
    command : shell text
    places : where files lie in the job, by the paths that the command names
    """
    moved = {path: place for path, place in places.items() if is_outside(path) or is_url(path)}
    named = dict(pair for path, place in moved.items() for pair in _shorter(path, place))
    for path in sorted(named, key=len, reverse=True):
        whole = rf"(?<![\w./~-]){re.escape(path)}(?![\w-])"
        command = re.sub(whole, named[path].replace("\\", r"\\"), command)
    return command


def _shorter(path: str, place: str) -> Iterator[tuple[str, str]]:
    """Yield a path with its place, and both without their endings, one after the other."""
    yield path, place
    while (ending := Path(path).suffix) and place.endswith(ending):
        path, place = path.removesuffix(ending), place.removesuffix(ending)
        yield path, place
