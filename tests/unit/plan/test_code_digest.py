"""What the digests of code and environment are made of."""

import pytest

from anisweep import modes
from anisweep.environments.lock import Environment, installed_differences, worker_environment
from anisweep.errors import UserError
from anisweep.plan.code_digest import code_digest, code_files


@pytest.mark.parametrize("mode", modes.names())
def test_the_code_of_a_mode_is_the_worker_and_what_it_imports(mode):
    files = set(code_files(mode))

    assert {f"anisweep.modes.{mode}", "anisweep.worker.process", "anisweep.cell", "anisweep.row"} <= files
    assert not {
        name
        for name in files
        if name.startswith(("anisweep.plan", "anisweep.config", "anisweep.artifacts.store"))
    }
    assert not {f"anisweep.modes.{other}" for other in modes.names() if other != mode} & files


def test_modes_have_digests_of_their_own():
    assert len({code_digest(mode) for mode in modes.names()}) == len(modes.names())


def test_the_lock_of_here_is_what_is_installed(project):
    environment = worker_environment(project)

    assert installed_differences(environment) == []
    assert {"anisoap", "numpy", "torch", "python"} <= set(environment.packages)


def test_markers_decide_what_belongs_to_this_machine(project):
    lock = project.root / "envs" / "worker.txt"
    lines = ["numpy==2.0.0 \\", "    --hash=sha256:01", "winonly==1.0 ; sys_platform == 'win32'", ""]
    lock.write_text("\n".join(lines))
    packages = worker_environment(project).packages

    assert packages["numpy"] == "2.0.0"
    assert "winonly" not in packages


def test_another_index_for_torch_is_another_environment(project):
    before = worker_environment(project)
    (project.root / ".venv").mkdir()
    (project.root / ".venv" / "torch-index").write_text("https://example.org/cpu\n")

    assert worker_environment(project).digest != before.digest
    assert worker_environment(project).packages["torch-index"] == "https://example.org/cpu"


def test_differences_name_package_and_both_versions():
    environment = Environment({"numpy": "0.1", "no-such-package": "1.0", "python": "2.7"}, "")

    first, second = installed_differences(environment)
    assert first.startswith("numpy: locked 0.1, installed ")
    assert second == "no-such-package: locked 1.0, installed not at all"


@pytest.mark.parametrize("content", [b"numpy 2 0\n", b"\xff\xfe"])
def test_a_lock_that_cannot_be_understood_is_named(project, content):
    (project.root / "envs" / "worker.txt").write_bytes(content)

    with pytest.raises(UserError, match=r"(?s)envs/worker\.txt: .*make lock"):
        worker_environment(project)
