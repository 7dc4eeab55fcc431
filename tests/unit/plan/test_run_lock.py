"""One controller at a time: the lock names its holder and dies with it."""

import getpass
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import locked
from anisweep.plan import run_lock

HOLD = """
import sys, time
from pathlib import Path
from anisweep.config.project import Project
from anisweep.plan import run_lock

run_lock.hold(Project(Path(sys.argv[1])), ["a-r1-0123456789ab", "b-r1-0123456789ab"])
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def held(project):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(project.root)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def other(project):
    with held(project) as process:
        yield process


@pytest.fixture
def impatient(monkeypatch):
    """Tries are not a tenth of a second apart."""
    monkeypatch.setattr(run_lock.time, "sleep", lambda seconds: None)


@pytest.fixture
def nobody(monkeypatch):
    """This process holds nothing, and gives back what it takes."""
    mine = []
    monkeypatch.setattr(run_lock, "_held", mine)
    yield
    for stream in mine:
        stream.close()


def test_the_second_is_told_who_holds_it_and_what_to_do(project, other, impatient):
    with pytest.raises(UserError) as error:
        run_lock.hold(project, [])

    text = str(error.value)
    assert f"{getpass.getuser()} on {socket.gethostname()}, pid {other.pid}" in text
    assert "stop it with Ctrl-C there" in text
    assert "`anisweep plan` work meanwhile" in text


def test_the_holder_and_its_packs_are_known(project, other):
    held = run_lock.holder(project)

    assert held.pid == other.pid
    assert held.packs == ("a-r1-0123456789ab", "b-r1-0123456789ab")


def test_the_lock_dies_with_its_holder(tmp_path, nobody):
    project = Project(tmp_path)

    with held(project) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert run_lock.holder(project) is None

        run_lock.hold(project, ["c-r1-0123456789ab"])


def test_asking_changes_nothing(project, other):
    file = project.state / "controller.lock"
    before = file.read_text()

    for _ in range(3):
        run_lock.holder(project)

    assert file.read_text() == before
    assert run_lock.holder(project).pid == other.pid
    assert other.poll() is None


def test_who_only_asks_does_not_keep_others_from_holding(tmp_path, monkeypatch, nobody):
    """A shared lock lasts an instant; `hold` waits it out."""
    project = Project(tmp_path)
    project.state.mkdir(parents=True)
    reader = (project.state / "controller.lock").open("a+")
    assert locked(reader, shared=True)
    monkeypatch.setattr(run_lock.time, "sleep", lambda seconds: reader.close())

    run_lock.hold(project, [])

    assert reader.closed


def test_without_a_run_there_is_no_holder(tmp_path):
    assert run_lock.holder(Project(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_a_holder_that_has_not_written_its_name_yet_is_a_holder(project, other, impatient):
    file = project.state / "controller.lock"
    name = file.read_text()
    file.write_text("")

    assert run_lock.holder(project).user == "unknown user"
    with pytest.raises(UserError, match="unknown user on unknown host"):
        run_lock.hold(project, [])

    file.write_text(name)


def test_a_controller_that_is_a_job_is_named_with_what_ends_it(impatient, monkeypatch, tmp_path):
    """Ctrl-C reaches no job."""
    (tmp_path / "job.ad").write_text('Owner = "zoe"\nClusterId = 17\nProcId = 0\n')
    monkeypatch.setenv("_CONDOR_JOB_AD", str(tmp_path / "job.ad"))
    project = Project(tmp_path)

    with held(project):
        text = run_lock.another_runs(run_lock.holder(project))
    assert "job 17 of HTCondor" in text
    assert "`condor_rm 17`" in text
    assert "Ctrl-C" not in text
