"""On an access point whose site.yaml is filled in, a plan is for that site, and says so."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from anisweep.cli import main
from anisweep.config import load


def planned(project, *arguments):
    done = CliRunner().invoke(main, ["plan", "--json", "study=tiny", *arguments])
    assert done.exit_code == 0, done.output
    return done.stderr, {cell["cell"] for cell in json.loads(done.stdout)["to_measure"]}


@pytest.fixture
def fill_in(project, tmp_path, monkeypatch):
    """Makes this machine an access point, and fills in site.yaml."""

    def filled(netid="zoe", access_point=True):
        (project.root / "condor" / "site.yaml").write_text(f"netid: '{netid}'\n")
        found = "/usr/bin/condor_submit" if access_point else None
        monkeypatch.setattr("anisweep.config.site.shutil.which", lambda name: found)

    return filled


def sites_of(project, monkeypatch):
    asked = []
    real = load.load_config
    monkeypatch.setattr(
        load, "load_config", lambda *given: asked.append(given[1].get("site")) or real(*given)
    )
    return asked


def test_filled_in_it_is_the_cluster_s(project, fill_in, monkeypatch):
    fill_in()
    asked = sites_of(project, monkeypatch)
    said, _ = planned(project)

    assert said == "For the site chtc, since condor/site.yaml is filled in; `site=local` is this machine.\n"
    assert asked[-1] == "chtc"


@pytest.mark.parametrize("here", [{"netid": ""}, {"access_point": False}])
def test_elsewhere_it_is_this_machine_s(project, fill_in, here):
    fill_in(**here)

    assert planned(project)[0] == ""


@pytest.mark.parametrize("site", ["local", "my_cluster"])
def test_what_is_said_counts(project, fill_in, monkeypatch, site):
    fill_in()
    asked = sites_of(project, monkeypatch)

    assert planned(project, f"site={site}")[0] == ""
    assert asked == [site]
