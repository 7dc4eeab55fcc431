"""The folder of modes: what can be known without importing one."""

import ast
import subprocess
import sys

import pytest

from anisweep import modes


def public_names(source):
    """Names that a module defines at its top level, imports aside."""
    names = set()

    for statement in ast.parse(source).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
        if isinstance(statement, ast.Assign):
            names.update(ast.unparse(target) for target in statement.targets)
        if isinstance(statement, ast.AnnAssign):
            names.add(ast.unparse(statement.target))

    return {name for name in names if not name.startswith("_")}


def test_the_modes_of_the_study_are_there():
    assert {"numpy_only", "torch_mixed", "torch_full", "torch_batched"} <= set(modes.names())


@pytest.mark.parametrize("name", modes.names())
def test_a_mode_is_one_file_with_four_public_names_or_five(name):
    source = (modes.FOLDER / f"{name}.py").read_text(encoding="utf-8")
    own = {"ENVIRONMENT"} if modes.environment(name) else set()

    assert public_names(source) == {"PRECISIONS", "DEVICES", "prepare", "compute"} | own
    assert modes.summary(name).endswith(".")
    assert "fp64" in modes.precisions(name)
    assert set(modes.devices(name)) <= {"cpu", "cuda", "mps"}


def test_planning_imports_neither_torch_nor_anisoap():
    script = (
        "import sys\n"
        "from anisweep import modes\n"
        "for name in modes.names():\n"
        "    modes.summary(name), modes.precisions(name), modes.devices(name), modes.environment(name)\n"
        "print(sorted({'torch', 'anisoap', 'metatensor', 'numpy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_file_in_the_folder_is_a_mode_and_one_with_an_underscore_is_not(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text('"""What mine is.\n\nMore."""\nPRECISIONS = ("fp64", "fp32")\n')
    (tmp_path / "_shared.py").write_text("")
    monkeypatch.setattr(modes, "FOLDER", tmp_path)

    assert modes.names() == ["mine"]
    assert modes.summary("mine") == "What mine is."
    assert modes.precisions("mine") == ("fp64", "fp32")
    assert modes.environment("mine") == {}

    with pytest.raises(ValueError, match=r"'mine' has no line `DEVICES = \(\.\.\.\)`: write one"):
        modes.devices("mine")


@pytest.mark.parametrize(
    "ask", [modes.load, modes.summary, modes.precisions, modes.devices, modes.environment]
)
def test_an_unknown_mode_is_answered_with_what_there_is(ask):
    with pytest.raises(ValueError, match=r"'torch_fulll'.*there are .*numpy_only.*did you mean torch_full\?"):
        ask("torch_fulll")


def test_a_missing_precision_is_unavailable_with_the_reason():
    modes.require("precision", "fp32", ("fp64", "fp32"))

    with pytest.raises(modes.Unavailable, match="precision fp16: this mode has fp64, fp32 only"):
        modes.require("precision", "fp16", ("fp64", "fp32"))


def test_an_interpreter_without_the_environment_of_a_mode_is_unavailable(monkeypatch):
    monkeypatch.setenv("ONE", "1")
    modes.require_environment({"ONE": "1"})

    with pytest.raises(modes.Unavailable, match="this interpreter was started without TWO=2; a study's"):
        modes.require_environment({"ONE": "1", "TWO": "2"})
