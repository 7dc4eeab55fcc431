"""Skeletons of public workflows: the rules of each are a table in pool/skeletons/, the commands are toys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TABLES = Path(__file__).parent / "pool" / "skeletons"

NAMES = tuple(sorted(file.stem for file in TABLES.glob("*.yaml")))

#: A path, or one with a flag of Snakemake's around it.
FLAGGED = re.compile(r"(?:(directory|temp|touch|protected|pipe|update|ancient|checkpoint)\()?(.*?)\)?")

#: What stands where a rule has no `shell:`; nobody runs it.
KINDS = {
    "run": "run:\n        pass",
    "script": 'script: "toy.py"',
    "wrapper": 'wrapper: "file:toy"',
    "template_engine": 'template_engine: "yte"',
}


#: A pipe belongs to two rules, so it lies in the folder of the first one.
PIPES = {"resources/chm.namesorted.bam": "chm_namesort_1", "pipe/fastp/x/x.x.x": "fastp_pipe_1"}


@dataclass(frozen=True)
class Rule:
    """One rule as its table has it."""

    rule: str
    kind: str
    checkpoint: bool = False
    local: bool = False
    conda: bool = False
    container: bool = False
    cache: bool = False
    threads: int = 1
    shadow: str = ""
    group: str = ""
    resources: dict[str, Any] = field(default_factory=dict)
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    benchmark: tuple[str, ...] = ()

    @property
    def is_job(self) -> bool:
        """Whether it runs somewhere else than beside Snakemake."""
        return not self.local and self.kind != "none"


@dataclass(frozen=True)
class Skeleton:
    """The rules of one workflow."""

    rules: tuple[Rule, ...]
    constraints: dict[str, str]

    @classmethod
    def read(cls, name: str) -> Skeleton:
        table = yaml.safe_load((TABLES / f"{name}.yaml").read_text())
        return cls(tuple(Rule(**row) for row in table["rules"]), table.get("constraints", {}))

    def one_by_one(self, image: str) -> tuple[str, list[str], list[str]]:
        """Each rule in a folder of its own, with files in place of wildcards, so that it stands alone.

        Returns
        -------
        the Snakefile, the names of its rules, and the files that have to be there
        """
        seen: Counter[str] = Counter()
        parts, names, sources = [_container(image)], [], []

        for rule in filter(lambda rule: rule.is_job, self.rules):
            seen[rule.rule] += 1
            name = f"{rule.rule}_{seen[rule.rule]}"
            parts.append(_text(rule, name, alone=True))
            names.append(name)
            sources += [_alone(_path(file), name) for file in rule.input]
        piped = {f"{place}/{path}" for path, place in PIPES.items()}
        return "\n".join(parts), names, [file for file in sources if file not in piped]

    def whole(self, image: str) -> str:
        """The Snakefile of the whole workflow, with `shell:` in place of what needs Snakemake in a job."""
        limits = "".join(f"    {name}={text!r},\n" for name, text in self.constraints.items())
        parts = [_container(image), f"wildcard_constraints:\n{limits}", "localrules: all\n"]
        return "\n".join([*parts, *(_text(rule, rule.rule) for rule in self.rules)])


def _container(image: str) -> str:
    return f'container: "{image}"\n' if image else ""


def _text(rule: Rule, name: str, alone: bool = False) -> str:
    """Return a rule as Snakemake reads it."""
    place = name if alone else ""
    lines = [f"{'checkpoint' if rule.checkpoint else 'rule'} {name}:"]

    for where in ("input", "output", "log", "benchmark"):
        files = [_file(file, place) for file in getattr(rule, where)]
        if rule.cache and where == "output":
            files = [f"file{number}={file}" for number, file in enumerate(files)]
        if files:
            lines.append(f"    {where}: {', '.join(files)}")
    if rule.kind != "none":
        lines += _requests(rule)
        lines.append(f"    {KINDS[rule.kind]}" if alone and rule.kind in KINDS else _toy(rule))
    return "\n".join(lines) + "\n"


def _requests(rule: Rule) -> Iterator[str]:
    yield f"    threads: {rule.threads}"
    if rule.resources:
        yield f"    resources: {', '.join(f'{name}={_value(it)}' for name, it in rule.resources.items())}"
    if rule.conda:
        yield '    conda: "toy.yaml"'
    if rule.cache:
        yield "    cache: True"
    for name in ("shadow", "group"):
        if getattr(rule, name):
            yield f"    {name}: {getattr(rule, name)!r}"


def _value(value: object) -> str:
    """What a resource is; a function that finds nothing to ask for returns None."""
    return "lambda wildcards: None" if value is None else repr(value)


def _toy(rule: Rule) -> str:
    """Return a command whose outputs tell rule, output and the content of all inputs."""
    read = "find -L {input:q} -type f ! -name '.snake*' -exec cat {{}} + | cksum" if rule.input else "true"
    commands = [f"echo {rule.rule} > {{log[{number}]:q}}" for number in range(len(rule.log))]

    for number, output in enumerate(rule.output):
        made = f"{{output[{number}]:q}}"
        if output.startswith("directory("):
            commands.append(f"mkdir -p {made}")
            made += "/made"
        commands.append(f"(echo {rule.rule} {made}; {read}) > {made}")
    return f"    shell: {'; '.join(commands or ['true'])!r}"


def _file(written: str, place: str) -> str:
    """Return a file of a rule as Snakemake reads it; with a place, in that folder and without wildcards."""
    flag, path = _parts(written)
    if flag == "checkpoint" and place:
        return repr(_alone(path, place))
    if flag == "checkpoint":
        return f'lambda wildcards: checkpoints.{path}.get(**wildcards).output[0] + "/made"'

    text = repr(_alone(path, place) if place else path)
    return f"{flag}({text})" if flag else text


def _parts(written: str) -> tuple[str, str]:
    found = FLAGGED.fullmatch(written)
    assert found, written
    return found[1] or "", found[2]


def _path(written: str) -> str:
    return _parts(written)[1]


def _alone(path: str, place: str) -> str:
    path = re.sub(r"\{.*?\}", "x", path)
    return f"{PIPES.get(path, place)}/{path}"
