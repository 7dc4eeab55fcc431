"""Imports that would keep everybody waiting: what a module or command loads although it may never use it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"

#: No command line needs these to show its help, nor to read its arguments.
NOT_FOR_HELP = {
    *("ase", "jinja2", "matplotlib", "numpy", "packaging", "pandas", "pyarrow", "pydantic", "scipy"),
    *("snakemake", "snakemake_executor_plugin_condorsweep", "spython", "torch", "yaml"),
}


def loaded_after(code: str) -> set[str]:
    """Return the names of the packages that an interpreter of its own has loaded after some code."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("anisweep.cli", NOT_FOR_HELP),
        ("anisweep.errors", NOT_FOR_HELP),
        ("anisweep.figures", NOT_FOR_HELP),
        ("anisweep.report", {"ase", "matplotlib", "pydantic", "torch"}),
        ("anisweep.tables", {"ase", "matplotlib", "pydantic", "torch"}),
    ],
)
def test_a_module_loads_only_what_it_needs(module, unneeded):
    loaded = loaded_after(f"import {module}")

    assert "anisweep" in loaded
    assert not unneeded & loaded


def test_help_of_all_commands_loads_only_what_it_needs():
    code = "from anisweep.cli import main; main(['--help'], standalone_mode=False)"

    assert not NOT_FOR_HELP & loaded_after(code)


def test_a_plan_loads_nothing_that_computes_draws_or_reports(project):
    code = "from anisweep.cli import main; main(['plan', 'study=tiny'], standalone_mode=False)"
    loaded = loaded_after(code)

    assert "pydantic" in loaded  # it has read the configuration
    assert not {"jinja2", "matplotlib", "pandas", "pyarrow", "scipy", "snakemake", "torch"} & loaded
