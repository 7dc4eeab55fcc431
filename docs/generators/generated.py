"""Make files from code and results: ``python -m docs.generators.generated [--take | --check]``.

``--take`` first takes the README's figures and picture from results. With ``--check`` nothing is written,
and the status is 1 when a file is not what it would be made.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from anisweep.analysis.claims import Line, claim, quantities
from anisweep.config.load import read_yaml
from anisweep.config.project import Project
from anisweep.config.sections import Config, DatasetEntry, HyperAxes, Measure, Sweep
from anisweep.config.site import Site, SiteImage, SiteLargeOutputs
from anisweep.tables import columns_markdown, metrics_markdown
from docs.generators import headline, readme

SECTIONS: list[tuple[str, type[BaseModel]]] = [
    ("config/config.yaml", Config),
    ("config/studies/NAME.yaml", Sweep),
    ("datasets.NAME", DatasetEntry),
    ("hypers", HyperAxes),
    ("measure", Measure),
    ("condor/site.yaml", Site),
    ("large_outputs", SiteLargeOutputs),
    ("image", SiteImage),
]

CLAIMS: list[tuple[str, type[BaseModel]]] = [
    ("config/claims/NAME.yaml", claim.ClaimFile),
    ("tables.NAME", claim.ClaimedTable),
    ("tables.NAME.rows.NAME", claim.ClaimedRow),
    ("tables.NAME.rows.NAME.claims", claim.Claim),
    *((f"quantity: {name}", model) for name, model in quantities.by_name().items()),
]

NOTE = "This page is generated (`make generated`)."


def main() -> None:
    """Write the files that have changed, or check that none has."""
    root = Project.find().root
    if "--take" in sys.argv[1:]:
        readme.take(root)
        headline.take(root)

    made = contents(root)
    stale = [path for path, text in made.items() if not _equal(root / path, text)]

    if "--check" in sys.argv[1:] and stale:
        sys.exit(f"Not as generated: {', '.join(stale)}. Run `make generated`.")

    for path in stale:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(made[path])
        print(f"wrote {path}")


def contents(root: Path) -> dict[str, str]:
    """Return the text of every generated file, by its path in the project."""
    return {
        "config/config.yaml": default_configuration(),
        "config/schema.json": json.dumps(schema(), indent=1) + "\n",
        "docs/reference/configuration.md": configuration_page(),
        "docs/reference/claims.md": claims_page(),
        "docs/reference/metrics.md": metrics_markdown(),
        "docs/reference/studies.md": studies_page(root),
        "README.md": readme.text(root),
        str(headline.PAGE): headline.text(root),
    }


def default_configuration() -> str:
    """Return the defaults, each below its meaning."""
    lines = [
        "# The switches of a run. Any of them can be given as `--config KEY=VALUE`; so can any key of a",
        "# study, which then overrides the study's. All keys: docs/reference/configuration.md.",
    ]
    for name, field in Config.model_fields.items():
        lines += ["", f"# {field.description}", f"{name}: {field.default}"]
    return "\n".join(lines) + "\n"


def schema() -> dict[str, Any]:
    """Return JSON schemas of the configuration and of a study, for editors."""
    return {"config": Config.model_json_schema(), "study": Sweep.model_json_schema()}


def configuration_page() -> str:
    """Return a page with a table of keys for each section."""
    lines = ["# Configuration", "", NOTE, ""]
    lines += [
        "A study is one file in `config/studies/`. `full:` in it holds what differs at `size: full`.",
        "A wrong key, type or value stops the run before anything is measured.",
    ]

    return "\n".join([*lines, *_sections(SECTIONS)]) + "\n"


def claims_page() -> str:
    """Return a page with the keys of a file of claims, the quantities, and the columns of the result."""
    lines = ["# Claims", "", NOTE, "", "How to write one: [Add a claim](../how-to/add-a-claim.md)."]
    lines += [*_sections(CLAIMS), "", "## `results/claims.csv`", "", columns_markdown(Line)]
    return "\n".join(lines).rstrip() + "\n"


def studies_page(root: Path) -> str:
    """Return a table of the studies with what they ask."""
    lines = [
        "# Studies",
        "",
        NOTE,
        "",
        "`make run STUDY=NAME` measures one study, and `make study` measures all except `tiny`. The study",
        "`liquid_benzene` reads a file in the folder that the environment variable `ANISWEEP_DATA` names;",
        "without it `make study` leaves this study out.",
        "",
    ]
    lines += ["| study | question |", "|---|---|"]

    for name in Project(root).study_names():
        file = Project(root).study_file(name)
        lines += [f"| [{name}](../../{file.relative_to(root)}) | {read_yaml(file)['question']} |"]
    return "\n".join(lines) + "\n"


def _sections(sections: list[tuple[str, type[BaseModel]]]) -> list[str]:
    """Return, for each section, its meaning and a table of its keys."""
    lines = []

    for title, model in sections:
        lines += ["", f"## `{title}`", "", inspect.cleandoc(model.__doc__ or "")]
        keys = [name for name in model.model_fields if name != "quantity"]
        if keys:
            lines += ["", "| key | default | allowed | meaning |", "|---|---|---|---|"]
        lines += [_row(name, model.model_fields[name], model) for name in keys]

    return lines


def _row(name: str, field: Any, model: type[BaseModel]) -> str:
    if field.is_required():
        default = "required"
    elif field.default_factory is not None:
        default = "`{}`"
    elif isinstance(field.default, BaseModel):
        default = "see below"
    else:
        default = f"`{json.dumps(field.default)}`"

    allowed = _allowed(model.model_json_schema()["properties"][name])
    return f"| `{name}` | {default} | {allowed} | {field.description or ''} |"


def _allowed(schema: dict[str, Any]) -> str:
    """Describe a JSON schema in a few words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_allowed(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_allowed(schema.get('items', schema.get('prefixItems', [{}])[0]))}"
    if "$ref" in schema or "oneOf" in schema:
        return "a section"

    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema]
    return " ".join([schema.get("type", "any"), *bounds])


def _equal(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


if __name__ == "__main__":
    main()
