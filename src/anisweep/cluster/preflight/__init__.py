"""Check a submission before it is made, and report every obstacle at once, each with its remedy.

A new check is a function in the file of its topic here, and a line of `CHECKS`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.cluster.preflight import files, pool, site, volume
from anisweep.cluster.preflight.submission import Finding, Submission
from anisweep.errors import UserError
from anisweep.formatting import counted

__all__ = ["Finding", "as_text", "pass_or_stop", "preflight"]

CHECKS = (
    site.filled_in,
    site.netid_and_email_fit,
    site.submit_commands_known,
    site.image_goes_one_way,
    site.clone_has_a_plain_path,
    site.staging_set,
    site.images_there,
    site.staging_stays_home,
    files.inputs_there,
    files.inputs_small,
    files.outputs_small,
    files.large_outputs_have_a_place,
    files.results_take_files,
    volume.not_too_many,
    volume.not_too_short,
    volume.images_not_too_often,
)

#: They need HTCondor's bindings, which exist on Linux only.
CHECKS_OF_THE_POOL = (pool.schedd_answers, pool.collector_answers, pool.some_slot_fits)


def preflight(jobs: Jobs, outgoing: Sequence[Outgoing]) -> list[Finding]:
    """Run every check.

    Parameters
    ----------
    outgoing : what is to be submitted

    Returns
    -------
    list of Finding
        what stops the submission first; empty when nothing is in its way
    """
    submission = Submission(jobs, outgoing)
    of_the_pool = CHECKS_OF_THE_POOL if find_spec("htcondor2") else (pool.without_bindings,)
    found = [finding for check in (*CHECKS, *of_the_pool) for finding in check(submission)]

    return sorted(found, key=lambda finding: finding.severity != "stop")


def pass_or_stop(jobs: Jobs, outgoing: Sequence[Outgoing]) -> None:
    """Print warnings and go on, unless something stops; where nothing is submitted, nothing is checked.

    Raises
    ------
    UserError
        with every finding and its remedy
    """
    found = preflight(jobs, outgoing) if outgoing else []

    if stops(found):
        raise UserError(as_text(found, len(outgoing)))
    if found:
        print(as_text(found, len(outgoing)), file=sys.stderr)


def stops(found: Sequence[Finding]) -> bool:
    """Return True if any of these findings keeps jobs from going out."""
    return any(finding.severity == "stop" for finding in found)


def as_text(found: Sequence[Finding], jobs: int) -> str:
    """Return the findings as a person reads them; one line when there are none."""
    what = counted(jobs, "job")
    if not found:
        return f"Preflight: nothing is in the way of {what}."

    count = sum(finding.severity == "stop" for finding in found)
    verdict = f"{count} to mend before anything goes out" if count else "nothing stops"
    lines = [f"Preflight of {what}: {verdict}, {len(found) - count} to think about."]

    for finding in found:
        lines += [f"  {finding.severity}  {finding.wrong}", f"        {finding.remedy}"]
    return "\n".join(lines)
