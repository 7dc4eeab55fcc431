"""Write the program of a job, in bash: an image needs no more."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from snakemake_executor_plugin_condorsweep.batch import FURTHER_LOG, OWN_LOG, Entry
from snakemake_executor_plugin_condorsweep.carrying import is_outside, is_url, last_name, rewritten
from snakemake_executor_plugin_condorsweep.parcel import PARCEL, SIZES, Parcel

#: Functions of bash that measure a command.
MEASURE = Path(__file__).with_name("measure.sh")


def script(entry: Entry, sent: Mapping[str, str], read_first: Sequence[str] = (), root: Path = Path()) -> str:
    """Return the program of one job.

    Parameters
    ----------
    entry : the job
    sent : under which path each input comes, where that is not its own
    read_first : shell files that are read before the command
    root : the project, for jobs that work in it
    """
    made = (*entry.outputs, *entry.logs)
    folders = sorted({str(Path(file).parent) for file in made} - {"."})
    lines = [
        "#!/usr/bin/env bash",
        f"# Makes {entry.output!a}",
        "set -euo pipefail",
        *(_go_there(entry, root) if entry.in_place else ()),
        *(f"mkdir -p -- {shlex.quote(folder)}" for folder in folders),
        *_inputs_in_place(entry, sent),
        *(f". {shlex.quote('./' + file)}" for file in read_first),
        "",
        *_command(entry, rewritten(entry.command, _places(entry, sent))),
        *_made(entry),
    ]
    return "\n".join(lines) + "\n"


def _places(entry: Entry, sent: Mapping[str, str]) -> dict[str, str]:
    """Return where the job finds each input; in the project nothing has moved, and nobody fetches URLs."""
    if entry.in_place:
        return {}
    return {file: last_name(file) if is_url(file) else sent.get(file, file) for file in entry.inputs}


def _go_there(entry: Entry, root: Path) -> Iterator[str]:
    """Yield lines that enter the project, and remove what an earlier attempt of the job has left."""
    missing = f"{root.absolute()}: this execute point does not see it; see --shared-fs-usage"
    yield f"cd -- {shlex.quote(str(root.absolute()))} || {{ echo {shlex.quote(missing)} >&2; exit 1; }}"
    yield f"rm -rf -- {shlex.join(entry.outputs)}"


def _inputs_in_place(entry: Entry, sent: Mapping[str, str]) -> Iterator[str]:
    """Yield lines that make links to inputs which had to be sent under other names."""
    for file in sorted(entry.inputs):
        if sent.get(file, file) != file and not is_outside(file):
            place, folder = shlex.quote(file.rstrip("/")), shlex.quote(str(Path(file).parent))
            yield f"mkdir -p -- {folder}"
            yield f'[ -e {place} ] || ln -s -- "$PWD"/{shlex.quote(sent[file])} {place}'


def _command(entry: Entry, command: str) -> list[str]:
    """Return the lines of a command.

    What it writes to its logs itself is transferred behind what it prints, also when it fails.
    """
    if not entry.logs and not entry.parcel:
        return [command]

    return [
        "the_command() (",
        "unset TIMEFORMAT; set -e",
        command,
        ")",
        "set +e",
        *_run(entry.parcel),
        "status=$?",
        *_logs(entry),
        "[ $status = 0 ] || exit $status",
    ]


def _run(parcel: Parcel | None) -> list[str]:
    if parcel is None or not parcel.benchmark:
        return ["the_command"]
    return [MEASURE.read_text(), f"measured {parcel.repeats} {shlex.quote(parcel.benchmark)}"]


def _logs(entry: Entry) -> Iterator[str]:
    """Yield lines that print what the command wrote to its logs."""
    for number, log in enumerate(entry.logs, start=1):
        title = OWN_LOG if number == 1 else FURTHER_LOG.format(number)
        file = shlex.quote(log)
        if len(entry.logs) == 1:
            yield f"if [ -s {file} ]; then printf '\\n%s\\n' {shlex.quote(title)}; cat -- {file}; fi"
        else:
            yield f"printf '\\n%s\\n' {shlex.quote(title)}; [ ! -e {file} ] || cat -- {file}"


#: Ends a job that has not made what its rule declares.
THERE = """
there() {
    [ -e "$1" ] && return
    printf '%s\\n' "$1: the rule declares this output, and the command did not write it" >&2
    exit 1
}
"""

#: Moves an output into the parcel. A link is followed: it may lead to what stays in the job, and HTCondor
#: transfers none that leads to a folder.
TAKE = f"""
take() {{
    there "$2"
    local lost
    lost=$(find "$2" -type l ! -exec test -e {{}} \\; -print)
    if [ -n "$lost" ]; then
        printf '%s: a link to nothing cannot come home; let the command remove it\\n' "$lost" >&2
        exit 1
    fi
    if [ -n "$(find "$2" -type l)" ]; then cp -RL -- "$2" {PARCEL}/$1; else mv -- "$2" {PARCEL}/$1; fi
}}
"""

#: Notes how many bytes each file has.
WEIGH = f"find {PARCEL} -type f -exec stat -c %s {{}} + > {PARCEL}.new; mv {PARCEL}.new {PARCEL}/{SIZES}"


def _made(entry: Entry) -> Iterator[str]:
    """Yield lines that look whether all has been made, and put several things into one folder."""
    if entry.parcel is None and not entry.in_place:
        return

    yield "set -e"
    yield from (f"touch -- {shlex.quote(file)}" for file in (entry.parcel.touched if entry.parcel else ()))
    yield THERE
    if entry.in_place:
        yield from (f"there {shlex.quote(file)}" for file in entry.outputs)
        return

    yield f"mkdir {PARCEL}"
    yield TAKE
    for test in ("-L", "! -L"):  # links before what they may lead to
        for number, output in enumerate(entry.outputs):
            file = shlex.quote(output)
            yield f"if [ {test} {file} ]; then take {number} {file}; fi"
    yield WEIGH
