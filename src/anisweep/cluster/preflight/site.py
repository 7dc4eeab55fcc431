"""Check condor/site.yaml, and the images in the staging folder."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path

from anisweep.cluster.jobs import COMMON
from anisweep.cluster.preflight.submission import Finding, Submission
from anisweep.config.site import DEFAULT_BASE, FILE, PLAIN_PATH, PLANNED, path_in_the_way
from anisweep.environments import images
from anisweep.environments.images import WantedImage
from anisweep.errors import UserError
from snakemake_executor_plugin_condorsweep.submit_file import DEFAULT

#: An address of mail, as far as its form goes.
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")

#: Submit commands that users add (HTCondor manual, "condor_submit"); a near miss of one is a slip of the pen.
COMMANDS = {
    *("accounting_group", "accounting_group_user", "batch_name", "concurrency_limits", "container_is_common"),
    *("container_target_dir", "cron_hour", "deferral_time", "docker_image", "environment", "getenv"),
    *("gpus_minimum_capability", "gpus_maximum_capability", "gpus_minimum_memory", "gpus_minimum_runtime"),
    *("hold", "is_resumable", "job_ad_information_attrs", "job_lease_duration", "job_machine_attrs"),
    *("keep_claim_idle", "kill_sig", "leave_in_queue", "max_idle", "max_materialize", "max_retries"),
    *("mount_under_scratch", "nice_user", "notification", "notify_user", "on_exit_hold", "on_exit_remove"),
    *("periodic_hold", "periodic_release", "periodic_remove", "periodic_vacate", "priority", "rank"),
    *("require_gpus", "requirements", "retry_request_memory", "retry_request_disk", "retry_until"),
    *("should_transfer_files", "stream_error", "stream_output", "success_exit_code", "transfer_plugins"),
    *("use_oauth_services", "want_campus_pools", "want_ospool", "when_to_transfer_output"),
}

#: Commands and macros of the submit file, the executor's part and the profile's.
IN_PROFILE = re.compile(r"(?:^|\$\()(\w+)(?=\s*=|:)", re.MULTILINE)

#: Submit lines that let jobs run outside CHTC, where its staging folder is not mounted.
ELSEWHERE = ("wantcampuspools", "wantospool")

OFF = ("", "0", "false", "no")

#: Submit lines with which HTCondor creates jobs as the queue drains.
LATE = ("max_idle", "max_materialize")


def filled_in(submission: Submission) -> Iterator[Finding]:
    """Check that condor/site.yaml names a NetID."""
    if not submission.jobs.site.netid:
        yield Finding(f"{FILE} is not filled in: netid is empty.", f"Write your NetID into {FILE}.")


def netid_and_email_fit(submission: Submission) -> Iterator[Finding]:
    """Yield what looks like a slip of the pen."""
    netid, email, me = submission.jobs.site.netid, submission.jobs.site.email, getuser()

    if netid and netid != me:
        yield Finding(
            f"{FILE}: netid: {netid!r} is not the user who submits, {me!r}.",
            f"Write `netid: {me}`, unless your NetID has another name on this machine.",
            "warn",
        )
    if email and not ADDRESS.fullmatch(email):
        yield Finding(
            f"{FILE}: email: {email!r} is no address of the form name@host.",
            "Correct it, or leave it empty: nobody is told then when a controller job ends.",
            "warn",
        )


def submit_commands_known(submission: Submission) -> Iterator[Finding]:
    """Yield the commands that HTCondor would pass over in silence, for they are nearly another one."""
    common = DEFAULT.read_text() + (submission.jobs.project.root / COMMON).read_text()
    known = {*COMMANDS, *PLANNED, *(name.lower() for name in IN_PROFILE.findall(common))}

    for name in submission.jobs.site.submit:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.85)
        if near and name.lower() not in known:
            yield Finding(
                f"{FILE}: submit: {name} is no command that is known here, and HTCondor says nothing of one "
                "that it does not know.",
                f"Did you mean {near[0]}? Correct it; if it is meant so, leave it.",
                "warn",
            )


def image_goes_one_way(submission: Submission) -> Iterator[Finding]:
    """Refuse jobs that are created late from an image that is sent once to each machine.

    HTCondor 25.14 creates none of them and tells nobody but its own log, so a run would wait for ever.
    """
    given = {name.lower(): str(value) for name, value in submission.jobs.site.submit.items()}
    late = [name for name in LATE if name in given]

    if late and given.get("container_is_common", "").lower() not in OFF:
        yield Finding(
            f"{FILE}: submit: container_is_common and {late[0]}: HTCondor creates no job with both.",
            f"Remove {late[0]}, or container_is_common.",
        )


def clone_has_a_plain_path(submission: Submission) -> Iterator[Finding]:
    """Check the path of the clone, which every submit file names several times."""
    wrong = path_in_the_way(submission.jobs.project.root)
    if wrong:
        yield Finding(wrong, PLAIN_PATH)


def staging_set(submission: Submission) -> Iterator[Finding]:
    """Check that the staging folder is set and can be reached."""
    staging = submission.jobs.site.staging

    try:
        folder = submission.jobs.site.staging_folder
    except UserError:
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
    """Check for an image of this tree's recipe, lock and base, for each device that packs ask for."""
    try:
        folder = submission.jobs.site.staging_folder
    except UserError:
        return  # said above

    for device in sorted(submission.jobs.images):
        wanted = images.wanted_at(submission.jobs.site, submission.jobs.project, device)
        if images.find(wanted, folder) is None:
            yield _without_image(wanted, folder)


def _without_image(wanted: WantedImage, folder: Path) -> Finding:
    small = ["--small"] if wanted.name.endswith("-small") else []
    base = ["--base", wanted.base] if wanted.base != DEFAULT_BASE else []
    build = shlex.join(["anisweep", "image", "build", wanted.recipe, *small, *base])
    push = shlex.join(["anisweep", "image", "push", wanted.recipe, str(folder), *small, *base])
    remedy = (
        f"`{build}`, then `{push}`; at CHTC with --dry-run, for a build job that moves it there itself "
        "(docs/how-to/run-at-chtc.md)."
    )
    others = [image for image in images.built(folder) if image.name == wanted.name]

    if others:
        differs = images.difference(others[-1], wanted)
        return Finding(f"{others[-1].file} is not of this tree's recipe, lock and base: {differs}.", remedy)
    return Finding(f"{folder} holds no image `{wanted.name}`.", remedy)


def staging_stays_home(submission: Submission) -> Iterator[Finding]:
    """Find jobs that may leave CHTC and need its mounted staging folder: together these match no slot."""
    lines = submission.jobs.site.submit
    flags = [name for name, value in lines.items() if _leads_elsewhere(name, value)]
    urls = [submission.jobs.image(each.device) for each in submission.outgoing]
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
