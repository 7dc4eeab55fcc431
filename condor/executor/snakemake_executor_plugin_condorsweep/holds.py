"""Explain each hold of HTCondor by its code: the cause, and what to do about it."""

from __future__ import annotations

#: Placed by a person, or by the submission itself: nobody but they ends it.
BY_HAND = {1, 15, 16}

#: Of transfers, which are often the fault of one machine.
AGAIN = (
    "HTCondor tries again unless the submit file says otherwise (within 5 minutes, a second time within 10); "
    "`condor_release {job}` does it at once"
)

#: Cause and remedy by code or, where it matters, code and subcode (HTCondor manual, "Hold Reason Codes").
WORDS: dict[int | tuple[int, int], str] = {
    1: "held by hand. `condor_release {job}` lets it go on, `condor_rm {job}` gives it up",
    3: "held by an expression of its own submit file. See `condor_q -hold {job}`",
    5: "an expression of its submit file has no value. Correct jobs.sub's static part, then run again",
    6: (
        "it could not be started: the image or its program is missing or does not fit the machine. Look "
        "at its log, test the image, then run again"
    ),
    7: "its log file could not be opened here. Check permissions and room of the batch's folder logs/",
    12: (
        "its output could not be fetched. If the words below say `No such file`, the command did not "
        "write what the rule declares; else check room and permissions here (`df -h .`). " + AGAIN
    ),
    13: (
        "its input could not be sent. If the words below say `No such file`, an input or the image is "
        "missing here: put it back; else the execute point's disk may be full: request more. " + AGAIN
    ),
    14: "the project's folder is not there for HTCondor. Has it moved? Run again from where it is now",
    15: "submitted on hold. `condor_release {job}` lets it go on",
    16: "its files are being spooled",
    21: "the execute point refused it. Run again; if it stays so, tell the pool's administrators",
    22: "its event log could not be written. Check room and permissions of the batch's folder",
    26: "a rule of this pool holds such jobs. The words below are the administrators'; ask them",
    32: "its input is larger than this pool sends. Put large files where the pool wants them",
    33: "its output is larger than this pool fetches. Write less, or ask the administrators",
    34: "it used more of a resource than it had asked for. Ask for more in the rule",
    (34, 102): "it used more memory than it had asked for. Give the rule more `mem_mb`, then run again",
    (34, 104): "it used more disk than it had asked for. Give the rule more `disk_mb`, then run again",
    35: "the execute point could not use its image. Test the image, then run again",
    45: (
        "the execute point's own test of containers failed. Run again; if it stays so, ask the administrators"
    ),
    46: "it took longer than its allowed duration. Give the rule more `runtime`, then run again",
    47: "it ran longer than the rule's `runtime`. Give the rule more, then run again",
}
OTHERWISE = "held by HTCondor. The words below are its own; `condor_q -hold {job}` says the same"


def words(code: int, subcode: int, reason: str, job: str) -> str:
    """Return cause and remedy of a hold, with HTCondor's own words behind them.

    Parameters
    ----------
    code, subcode : HTCondor's hold reason codes
    reason : its words
    job : cluster and process, as commands take them
    """
    known = WORDS.get((code, subcode)) or WORDS.get(code) or OTHERWISE
    said = " ".join(reason.split())
    return f"{known.format(job=job)}. [hold {code}/{subcode}: {said}]"
