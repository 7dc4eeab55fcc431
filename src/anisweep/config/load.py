"""Read the configuration: defaults, study and command line are merged and checked as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from anisweep.config.project import Project
from anisweep.config.sections import Config, Sweep
from anisweep.config.validation_messages import REMEDY, explain, not_among, unknown_key
from anisweep.errors import UserError
from anisweep.files import read_bytes
from anisweep.former_names import KEYS, warn
from anisweep.parsing.schema import shown
from anisweep.parsing.yaml_text import NotYaml, blank_missing, read_yaml_text

Model = TypeVar("Model", bound=BaseModel)

#: Folders below results/ that are no study's.
RESERVED_NAMES = (
    "artifacts",
    "batches",
    "code",
    "controllers",
    "features",
    "packs",
    "logs",
    "figures",
    "profiler_traces",
    "tables",
)


def load_config(project: Project, overrides: dict[str, Any] | None = None) -> tuple[Config, dict[str, Sweep]]:
    """Return the configuration and its studies, by name, with ``overrides`` on top.

    Parameters
    ----------
    overrides : what Snakemake's ``--config`` gave; keys of `Config`, or of a study

    Raises
    ------
    UserError
        naming the key's path, what came, what is allowed and the nearest right spelling
    """
    file = project.root / "config" / "config.yaml"
    where = f"{_relative(project, file)} or --config"
    given = _with_new_keys(merged(read_yaml(file), overrides or {}), where)

    switches = {key: value for key, value in given.items() if key in Config.model_fields}
    study_overrides = {key: value for key, value in given.items() if key not in Config.model_fields}
    allowed = [*Config.model_fields, *Sweep.model_fields]

    for key in study_overrides:
        if key not in allowed:
            raise UserError(f"{where}: {_nested_key(key, given[key], allowed)}\n{REMEDY}")

    _refuse_a_file_as_study(project, switches.get("study"))
    config = validated(Config, switches, where)
    return config, {name: load_study(project, name, config.size, study_overrides) for name in config.studies}


def _with_new_keys(given: dict[str, Any], where: str) -> dict[str, Any]:
    """Return what was given, by the names that keys have now."""
    for former, name in KEYS.items():
        if former in given and name not in given:
            warn(where, f"the key {former}", name, "Rename it.")
            given = {name if key == former else key: value for key, value in given.items()}
    return given


def _nested_key(key: str, value: Any, allowed: list[str]) -> str:
    """Say that a key is unknown, and how one inside a section is given."""
    section, dot, inner = key.partition(".")
    if not dot or section not in allowed:
        return unknown_key(key, (), allowed)
    return (
        f"{key[:80]}: a key has no dots. Allowed: sections in braces. "
        f'Write {section}="{{{inner[:80]}: {shown(value)}}}".'
    )


def _refuse_a_file_as_study(project: Project, given: Any) -> None:
    """Refuse the name or path of a study's file where the study's name belongs."""
    for name in given if isinstance(given, list) else [given]:
        meant = Path(name).stem if isinstance(name, str) else ""
        if name != meant and meant in project.study_names():
            raise UserError(
                f"study: {shown(name)} is not allowed. Allowed: the name of a study, without folder and "
                f"ending. Did you mean study={meant}?"
            )


def overrides_of(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Parse KEY=VALUE pairs, each value as YAML, as Snakemake reads them."""
    given = {}

    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            torn = any(each[:1] == "=" or each[-1:] == "=" for each in pairs)
            blanks = " There are no blanks round the `=`." if torn else ""
            raise UserError(f"{pair}: not allowed. Allowed: KEY=VALUE, for example replicates=5.{blanks}")
        try:
            given[key] = read_yaml_text(value)
        except NotYaml as error:
            raise UserError(
                f"{pair[:100]}: the value is no YAML ({error}). Allowed: numbers, words, [lists]. "
                "Close every bracket and quotation mark, and quote the whole for the shell."
            ) from None

    return given


def load_study(project: Project, name: str, size: str, overrides: dict[str, Any] | None = None) -> Sweep:
    """Load one file of config/studies/, at a size, with ``overrides`` on top."""
    if name in RESERVED_NAMES:
        reserved = ", ".join(RESERVED_NAMES)
        raise UserError(
            f"study: {name!r} is the name of a folder below results/. Allowed: any but {reserved}. "
            f"Rename {project.study_file(name)}."
        )

    file = project.study_file(name)
    if not file.is_file():
        raise UserError(
            f"study: {not_among(name, project.study_names(), 'study')}\n"
            f"It would be {file}; `anisweep new {name} FILE` writes it."
        )

    where = str(_relative(project, file))
    given = _with_new_keys(read_yaml(file), where)
    full = given.pop("full", {})
    if not isinstance(full, dict):
        raise UserError(f"{file}: full: {full!r} is not allowed. Allowed: keys of a study. {REMEDY}")
    if size == "full":
        given = merged(given, _with_new_keys(full, where))

    if overrides:
        where += " with --config on top"
    return validated(Sweep, merged(given, overrides or {}), where)


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a file of `key: value` lines, none of them twice.

    Raises
    ------
    UserError
        saying in words what is wrong with the file
    """
    try:
        text = read_bytes(file).decode("utf-8")
        content = read_yaml_text(text)
    except (OSError, UnicodeDecodeError) as error:
        came = getattr(error, "strerror", None) or error
        raise UserError(
            f"{file}: cannot be read ({came}). Allowed: a text file in UTF-8.\n{REMEDY}"
        ) from error
    except NotYaml as error:
        raise UserError(
            f"{file}: not valid YAML; allowed are `key: value` lines.\n{error}\n{REMEDY}"
        ) from error

    if not isinstance(content, dict):
        came = "nothing" if content is None else f"a {type(content).__name__}"
        came = blank_missing(text) or f"it holds {came}"
        raise UserError(f"{file}: {came}. Allowed: `key: value` lines.\n{REMEDY}")
    return content


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge two mappings: ``above`` wins, and data sets are replaced as a whole."""
    whole = dict(below)

    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(whole.get(key), dict) and key != "datasets"
        whole[key] = merged(whole[key], value) if nested else value

    return whole


def validated(model: type[Model], given: dict[str, Any], where: str) -> Model:
    """Return the typed section.

    Raises
    ------
    UserError
        naming each wrong key of ``where``
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(model, error, given, where)) from error


def _relative(project: Project, file: Path) -> Path:
    return file.relative_to(project.root) if file.is_relative_to(project.root) else file
