"""The folder of tasks: what a study can know of one without importing it."""

import pytest

from anisweep import modes
from tests.unit.modes.test_mode_files import public_names

TASK = '''"""What does mine cost?"""

MODES = {"by_hand": "with pencil and paper", "by_wire": "by telegram"}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {"words": "words that it took"}
RESULTS_S = 2.5
'''


@pytest.mark.parametrize("task", modes.tasks())
def test_a_task_is_one_file_with_the_names_that_all_have(task):
    source = (modes.TASKS / f"{task}.py").read_text(encoding="utf-8")
    names = {"MODES", "PRECISIONS", "DEVICES", "RESULTS", "RESULTS_S", "prepare", "compute", "results"}

    assert names <= public_names(source) <= names | {"SAME_RESULT", "JUDGED_BY"}
    assert all(modes.meanings_of_results(task).values())
    for mode in modes.names_in(task):
        assert modes.summary(mode)
        assert "fp64" in modes.precisions(mode)


def test_a_file_in_the_folder_is_a_task(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(TASK)
    (tmp_path / "_shared.py").write_text("")
    monkeypatch.setattr(modes, "TASKS", tmp_path)

    assert modes.tasks() == ["mine"]
    assert modes.names_in("mine") == ["mine.by_hand", "mine.by_wire"]
    assert modes.summary("mine.by_wire") == "by telegram"
    assert modes.task_of("mine.by_wire") == "mine"
    assert modes.task_of("numpy_only") == ""
    assert not modes.same_result("mine.by_hand")
    assert modes.same_result("numpy_only")
    assert modes.seconds_of_results("mine.by_hand") == 2.5
    assert modes.meanings_of_results("mine") == {"words": "words that it took"}
    assert "mine.by_hand" not in modes.names()

    with pytest.raises(ValueError, match=r"no task 'mien' in .*there are mine; did you mean mine\?"):
        modes.summary("mien.by_hand")
