"""Checks of what the user has filled in, and of the images in the staging folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from anisweep import images
from anisweep.config import ConfigError
from anisweep.images import DEFAULT_BASE, Wanted
from anisweep.preflight.submission import Finding, Submission
from anisweep.site import FILE

#: Submit lines that let jobs run outside CHTC, where its staging folder is not mounted.
ELSEWHERE = ("wantcampuspools", "wantospool")

OFF = ("", "0", "false", "no")


def filled_in(submission: Submission) -> Iterator[Finding]:
    if not submission.site.netid:
        yield Finding(f"{FILE} is not filled in: netid is empty.", f"Write your NetID into {FILE}.")


def staging_set(submission: Submission) -> Iterator[Finding]:
    staging = submission.site.staging

    try:
        folder = submission.site.staging_folder
    except ConfigError:
        yield Finding(
            f"{FILE}: staging: {staging} is not set here.",
            f"`export STAGING=/staging/n/netid`, or write the folder into {FILE}. "
            "At CHTC the facilitators give you one.",
        )
        return

    if not folder.is_dir():
        yield Finding(
            f"{FILE}: staging: {folder} is no folder of this machine.",
            f"Write a folder that jobs fetch images from into {FILE}, at CHTC /staging/n/netid.",
        )


def images_there(submission: Submission) -> Iterator[Finding]:
    """An image for each device that packs ask for, of this tree's recipe, lock and base."""
    try:
        folder = submission.site.staging_folder
    except ConfigError:
        return  # said above

    for device in sorted(submission.jobs.images):
        wanted = submission.site.wanted_image(submission.project, device)
        if images.find(wanted, folder) is None:
            yield _without_image(wanted, folder)


def _without_image(wanted: Wanted, folder: Path) -> Finding:
    small = " --small" if wanted.name.endswith("-small") else ""
    base = f" --base {wanted.base}" if wanted.base != DEFAULT_BASE else ""
    remedy = (
        f"`anisweep image build {wanted.recipe}{small}{base}` (at CHTC in a build job: "
        "docs/how-to/run-at-chtc.md), "
        f"then `anisweep image push {wanted.recipe} {folder}{small}{base}`."
    )
    others = [image.file.name for image in images.built(folder) if image.name == wanted.name]

    if others:
        return Finding(f"{folder}/{others[-1]} is not of this tree's recipe, lock and base.", remedy)
    return Finding(f"{folder} holds no image `{wanted.name}`.", remedy)


def staging_stays_home(submission: Submission) -> Iterator[Finding]:
    """Jobs that need the mounted staging folder cannot leave CHTC: together the two match no slot."""
    lines = submission.site.submit
    flags = [name for name, value in lines.items() if _leads_elsewhere(name, value)]
    urls = [submission.jobs.container(pack) for pack in submission.packs]
    needing = {
        text for text in (*urls, *submission.demands, *map(str, lines.values())) if _needs_staging(text)
    }

    if flags and needing:
        yield Finding(
            f"{FILE}: submit: {', '.join(flags)} sends jobs to machines without the staging folder, "
            f"which {sorted(needing)[0]} needs.",
            f"Remove {', '.join(flags)} from {FILE}. Timings should not leave CHTC anyway.",
        )


def _leads_elsewhere(name: str, value: object) -> bool:
    bare = re.sub(r"^(\+|my\.)", "", name.lower()).replace("_", "")
    return bare in ELSEWHERE and str(value).lower() not in OFF


def _needs_staging(text: str) -> bool:
    return "file:///staging" in text or "haschtcstaging" in text.lower()
