"""Read condor/site.yaml, in which users describe their cluster."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from anisweep.config.load import read_yaml, validated
from anisweep.config.project import Project
from anisweep.config.sections import ConfigSection
from anisweep.errors import UserError
from anisweep.parsing.storage_url import URL, path_of

#: What users have; a folder or a file takes its place where no registry of images is reachable.
DEFAULT_BASE = "python:3.11-slim-bookworm"

#: What a run on this machine calls its site; every other name is a cluster's.
LOCAL = "local"

#: What the profile `chtc` calls its site.
CLUSTER = "chtc"

#: Commands that each batch has its own values for.
PLANNED = {
    *("universe", "container_image", "executable", "arguments", "initialdir", "log", "output", "error"),
    *("request_cpus", "request_memory", "request_disk", "request_gpus", "allowed_execute_duration"),
    *("transfer_input_files", "transfer_output_files", "transfer_output_remaps", "queue"),
}

#: Lines of a submit file that are no commands.
STATEMENTS = {"if", "elif", "else", "endif", "include", "use", "warning"}

#: How a command is called, also an attribute of the job's own.
COMMAND = re.compile(r"(\+|my\.)?[a-z_][a-z0-9_]*(\.[a-z0-9_]+)*", re.IGNORECASE)

#: What to do with a clone whose path is none for submit files.
PLAIN_PATH = "Move the clone to a folder with a plain name."

FILE = Path("condor") / "site.yaml"


def why_no_line(text: str) -> str:
    """Say why a submit file cannot carry a text as the end of a line; empty when it can."""
    odd = sorted({letter for letter in text if not (letter.isprintable() or letter == "\t")})
    if odd:
        return f"it holds {', '.join(map(ascii, odd))}"
    return "it ends in a backslash, which would join it with the next line" if text.endswith("\\") else ""


def why_no_path(path: str) -> str:
    """Say why a submit file cannot carry the path of a folder; empty when it can."""
    odd = sorted({letter for letter in path if letter in '$"\\' or not letter.isprintable()})
    if odd:
        return f"it holds {', '.join(map(ascii, odd))}"
    return "it begins or ends with a blank" if path != path.strip() else ""


def path_in_the_way(root: Path) -> str:
    """Say in a sentence why jobs cannot be submitted from a clone in this folder; empty when they can."""
    wrong = why_no_path(str(root))
    if not wrong:
        return ""
    return f"{str(root)!a}: {wrong}, which no submit file can carry in the path of a clone."


def _one_line(text: str) -> str:
    """Check that a value is one line: what follows a newline in it would be a command of its own."""
    wrong = why_no_line(text)
    if wrong:
        raise ValueError(f"{text!a} is not allowed: {wrong}. Allowed: one line of text. Correct it.")
    return text


def _quotable(text: str) -> str:
    """Check that a value can stand inside the quotation marks of an expression."""
    if '"' in text or "\\" in text:
        raise ValueError(f"{text!r} is not allowed. Allowed: a name without quotation marks and backslashes.")
    return _one_line(text)


def _address(text: str) -> str:
    if re.search(r"[\s,]", text):
        raise ValueError(f"{text!r} is not allowed. Allowed: one address, without blanks. Correct it.")
    return _one_line(text)


def _storage_url(text: str) -> str:
    if text:
        path_of(text)
    return text.rstrip("/")


Line = Annotated[str, AfterValidator(_one_line)]


class SiteImage(ConfigSection):
    """The image that jobs run in; `anisweep image build` takes the same options."""

    small: Annotated[bool, Field(description="without torch, for studies whose modes need none")] = False
    base: Annotated[str, Field(description="an image of a registry, or a root file system")] = DEFAULT_BASE


class SiteLargeOutputs(ConfigSection):
    """Where jobs leave outputs that are too large to be sent through the access point."""

    url: Annotated[
        str,
        AfterValidator(_storage_url),
        Field(
            description="a folder that this machine sees too: file:///FOLDER or osdf:///chtc/staging/FOLDER; "
            "empty: `staging`, where that is below /staging"
        ),
    ] = ""
    above_mb: Annotated[float, Field(gt=0, le=1e6, description="so many MB are too large")] = 1000.0


class Site(ConfigSection):
    """The access point and its pool, as far as the user has to say."""

    netid: Annotated[Line, Field(description="your user name on the access point")] = ""
    email: Annotated[
        str, AfterValidator(_address), Field(description="told when a controller job ends; may be empty")
    ] = ""
    staging: Annotated[Line, Field(description="the folder of images, from which jobs fetch them")] = (
        "$STAGING"
    )
    large_outputs: SiteLargeOutputs = SiteLargeOutputs()
    image: SiteImage = SiteImage()
    gpu: Annotated[
        str,
        AfterValidator(_quotable),
        Field(description="DeviceName of the GPU that GPU cells need; empty allows any"),
    ] = ""
    submit: dict[str, Line | int | bool] = Field({}, description="commands added to every submit file")

    @field_validator("submit")
    @classmethod
    def _left_to_the_plan(cls, lines: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        for name in lines:
            if not COMMAND.fullmatch(name) or name.lower() in STATEMENTS:
                raise ValueError(
                    f"{name!a} is no name of a submit command. Allowed: letters, digits and _, with + or My. "
                    "before an attribute. Correct it."
                )

        taken = sorted(name for name in lines if name.lower() in PLANNED)
        if taken:
            asks_for_more = any(name.lower() in ("request_memory", "request_disk") for name in taken)
            more = "; more of it is asked for by itself after a hold" if asks_for_more else ""
            raise ValueError(
                f"{', '.join(taken)}: set by the plan for each pack. Allowed: any other submit command. "
                f"Remove it{more}."
            )
        return lines

    @classmethod
    def read(cls, project: Project) -> Site:
        """Read condor/site.yaml.

        Raises
        ------
        UserError
            naming the key, what came and what is allowed
        """
        return validated(cls, read_yaml(project.root / FILE), str(FILE))

    @property
    def staging_folder(self) -> Path:
        """Return the folder that holds the images.

        Raises
        ------
        UserError
            when the variable in it is not set
        """
        path = os.path.expandvars(self.staging)

        if "$" in path or not path:
            raise UserError(
                f"{FILE}: staging: {self.staging} is not set here. Allowed: a folder that jobs fetch images "
                "from, at CHTC /staging/n/netid. Write it there, or export the variable."
            )

        wrong = why_no_path(path) or ("it holds a comma" if "," in path else "")
        if wrong:
            raise UserError(
                f"{FILE}: staging: {path!a}: {wrong}, which means something else in a submit file. Allowed: "
                "a folder with a plain name. Rename it, or take another one."
            )
        return Path(path)


def place_of_large_outputs(site: Site) -> str:
    """Return the URL of the folder for outputs that are too large to come home; empty where there is none."""
    if site.large_outputs.url:
        return site.large_outputs.url
    try:
        folder = site.staging_folder
    except UserError:
        return ""  # preflight says so
    url = f"file://{folder}/anisweep"
    return url if folder.is_relative_to("/staging") and URL.fullmatch(url) else ""


def site_of_here(project: Project) -> str:
    """Return the site of a run that names none: the cluster, on an access point that is filled in."""
    on_an_access_point = shutil.which("condor_submit") is not None
    return CLUSTER if on_an_access_point and Site.read(project).netid else LOCAL
