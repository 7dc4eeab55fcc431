"""What `anisweep.models` shows to its users, and that its examples are true."""

from __future__ import annotations

import doctest
import subprocess
import sys
from importlib import import_module

import pytest

from anisweep import descriptors, models


def test_every_public_name_is_there_and_says_what_it_does() -> None:
    assert models.__all__ == sorted(models.__all__)
    assert all(
        getattr(models, name).__doc__.strip().split("\n\n")[0].endswith(".") for name in models.__all__
    )


def test_names_that_users_import_from_the_descriptors_are_the_same() -> None:
    assert descriptors.RidgeModel is models.RidgeModel
    assert descriptors.RidgeCalculator is models.RidgeCalculator


def test_models_need_no_torch_and_no_configuration() -> None:
    unneeded = "{'torch', 'pydantic', 'pandas', 'scipy.optimize', 'anisweep.config'}"
    code = f"import sys, anisweep.models; print({unneeded} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize("module", ["ridge"])
def test_the_examples_of_docstrings_are_true(module: str) -> None:
    failed, tried = doctest.testmod(import_module(f"anisweep.models.{module}"))
    assert tried > 0
    assert failed == 0
