"""Names and values that become parts of paths and submit files: plain ones pass, others are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anisweep.cli import main
from anisweep.cluster.controller_job import controller_job
from anisweep.cluster.jobs import Jobs
from anisweep.cluster.preflight import preflight
from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.config.site import COMMAND, Site, why_no_path
from anisweep.errors import UserError
from anisweep.plan.cost import CostModel
from snakemake_executor_plugin_condorsweep.batch import OWN_LOG, Batch, Entry

ODD_NAMES = ["../up", "a/b", "a b", "a\nqueue", "queue 5", "A", "", "a=b", "$(x)", "é", "a" * 41, "-x", "a\n"]

ODD_PATHS = ["/a$(x)/b", "/a\nb", "/a ", "/a\\", '/a"b', "/a\tb", "/\udcff", "/a\u2028b", "/$ENV(HOME)"]
PLAIN_PATHS = ["/home/zoë b/c", "/a(b)[c]", "/a,b;c=d", "/a'b", "/a#b%c@d&e", "/staging/z/zoe"]


def filled_in(project: Project, **lines: object) -> Site:
    (project.root / "condor" / "site.yaml").write_text(yaml.safe_dump(lines, allow_unicode=True))
    return Site.read(project)


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("key", ["study", "site"])
def test_names_of_studies_and_sites_in_the_configuration(project, key, name):
    with pytest.raises(UserError):
        load_config(project, {key: name})


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_name_of_a_new_study_is_no_path(project, name):
    (project.root / "mine.xyz").write_text("1\n\nC 0 0 0\n")
    before = sorted(project.root.parent.rglob("*"))
    done = CliRunner().invoke(main, ["new", "--", name, "mine.xyz"])

    assert done.exit_code == 1
    assert "NAME: " in done.output
    assert "Allowed: small letters, digits and _" in done.output
    assert sorted(project.root.parent.rglob("*")) == before


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_site_of_a_bundle_is_no_path(project, name):
    done = CliRunner().invoke(main, ["unbundle", "--site", name, "bundle.tgz"])

    assert done.exit_code == 1
    assert "--site: " in done.output
    assert not (project.results / "logs").exists()


@pytest.mark.parametrize(
    "lines",
    [
        {"submit": {"queue": "100"}},
        {"submit": {"accounting_group\nqueue": "x"}},
        {"submit": {"a": "b\nqueue 100"}},
        {"submit": {"a": "b\\"}},
        {"submit": {"a": "b\rqueue"}},
        {"submit": {"a=b": "c"}},
        {"submit": {"a @": "c"}},
        {"submit": {"if": "true"}},
        {"submit": {"include": "/etc/passwd"}},
        {"submit": {"": "c"}},
        {"submit": {"a b": "c"}},
        {"email": "a@b.edu\nqueue 100"},
        {"email": "a@b.edu queue"},
        {"netid": "zoe\nqueue"},
        {"gpu": 'A100" || true'},
        {"gpu": "A100\nqueue"},
        {"staging": "/staging/n/netid\nqueue"},
    ],
    ids=str,
)
def test_what_would_be_another_line_of_a_submit_file_is_refused(project, lines):
    with pytest.raises(UserError, match=r"condor/site\.yaml: (?s:.*)Allowed: "):
        filled_in(project, **lines)


@pytest.mark.parametrize("staging", ["/staging/a,b", "/staging/$(x)", '/staging/"x"', "/staging/x "])
def test_a_staging_folder_that_submit_files_cannot_name_is_refused(project, staging):
    with pytest.raises(UserError, match="Allowed: a folder"):
        _ = filled_in(project, staging=staging).staging_folder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.text(max_size=12) | st.from_regex(COMMAND, fullmatch=True), st.text(max_size=20))
def test_a_line_of_site_yaml_is_one_line_of_the_submit_file_or_refused(project, name, value):
    """As HTCondor reads it."""
    htcondor2 = pytest.importorskip("htcondor2", reason="no HTCondor on this platform")
    model = CostModel.from_rows((), Path())
    before = htcondor2.Submit(Jobs.of(project, [], model).description)
    try:
        site = Site(submit={name: value})
    except ValueError:
        return

    description = Jobs(project, site, model, {}).description
    read = htcondor2.Submit(description)
    added = {each.lower() for each in read} - {each.lower() for each in before}
    assert description.count("\n") - Jobs(project, Site(), model, {}).description.count("\n") <= 1
    assert added <= {name.lower(), f"my.{name[1:]}".lower()}


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_clone_in_a_folder_that_no_submit_file_can_name(project, path, monkeypatch):
    (project.root / "condor" / "site.yaml").write_text("netid: zoe\n")
    elsewhere = Project(Path(path))
    monkeypatch.setattr(Site, "read", classmethod(lambda cls, project: cls(netid="zoe", staging="/tmp")))

    with pytest.raises(UserError) as refused:
        controller_job(elsewhere, "tiny", [])
    str(refused.value).encode("ascii")
    assert "Move the clone to a folder with a plain name" in str(refused.value)


def test_such_a_clone_is_found_before_anything_goes_out(project, tmp_path):
    root = tmp_path / "a $(x) b"
    project.root.rename(root)
    moved = Project(root)
    found = preflight(Jobs.of(moved, [], CostModel.from_rows((), Path())), [])

    assert any("'$'" in finding.wrong and finding.severity == "stop" for finding in found)


@pytest.mark.parametrize("path", PLAIN_PATHS)
def test_other_paths_are_nobody_s_business(path):
    assert why_no_path(path) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_bytes_that_are_no_text_are_printed_escaped(project, encoding):
    command = [sys.executable, "-m", "anisweep", "inspect", b"caf\xe9\xff-\xc3\xa9.xyz"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, cwd=project.root, env=environment, check=False)

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert rb"caf\udce9\udcff" in done.stderr or (encoding == "ascii" and b"caf??" in done.stderr)


def shown_log(project, printed):
    """What `anisweep logs` says of a job that has printed this."""
    entry = Entry("a_pack", "results/artifacts/a_pack.tar.gz", (), "true")
    batch = Batch.new(project.root, "results/batches", "measure_pack", [entry])
    batch.write({})
    batch.printed(entry).write_bytes(printed)

    done = CliRunner().invoke(main, ["logs", "a_pack"])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_log_that_is_no_text_is_shown_escaped(project):
    assert r"before \xff\xfe after" in shown_log(project, b"before \xff\xfe after")


def test_a_log_that_was_written_through_tee_is_shown_once(project):
    shown = shown_log(project, f"measured\n\n{OWN_LOG}\nmeasured\n".encode())

    assert shown.count("measured") == 1
    assert OWN_LOG not in shown


def test_file_names_of_another_project_that_are_no_text_stay_there_in_words(project, tmp_path):
    there = tmp_path / "there"
    (there / "results" / "artifacts").mkdir(parents=True)
    (there / "Snakefile").touch()
    with open(os.fsencode(there / "results" / "artifacts") + b"/caf\xe9.tar.gz", "wb"):
        pass

    done = subprocess.run(
        [sys.executable, "-m", "anisweep", "fetch", str(there)],
        capture_output=True,
        cwd=project.root,
        check=False,
    )
    assert done.returncode == 1
    assert rb"left there: results/artifacts/caf\udce9.tar.gz: no name of an artifact" in done.stdout
    assert b"Traceback" not in done.stderr
