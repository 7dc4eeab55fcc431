"""The time model: more work never costs less, and measured rows count more than guesses."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from anisweep import datasets
from anisweep.cell import Dataset, Hypers, Settings
from anisweep.plan.cost import START_S, TASK_S, CostModel, memory_mb, multiply_adds
from anisweep.row import Row

DIGEST = examples.CELL.dataset.digest


def model_with(pairs):
    return CostModel(pairs={(DIGEST, 2, 7.0, True): pairs})


def measured(wall_s, pairs=1000, mode="numpy_only", **changes):
    return Row(
        mode=mode,
        output="coefficients",
        wall_s=wall_s,
        pairs=pairs,
        dataset_digest=DIGEST,
        frames=2,
        **changes,
    )


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_more_pairs_take_longer(few, more):
    few, more = sorted((few, more))

    assert model_with(few).cell_s(examples.CELL) <= model_with(more).cell_s(examples.CELL)


@given(st.integers(0, 8), st.integers(0, 4))
def test_larger_bases_take_longer(lmax, nmax):
    model = CostModel()
    smaller = model.pair_us("numpy_only", Hypers(max_angular=lmax, max_radial=nmax), "coefficients")

    assert smaller < model.pair_us(
        "numpy_only", Hypers(max_angular=lmax + 1, max_radial=nmax), "coefficients"
    )
    assert smaller < model.pair_us(
        "numpy_only", Hypers(max_angular=lmax, max_radial=nmax + 1), "coefficients"
    )


@pytest.mark.parametrize(
    "change",
    [{"repetitions": 9}, {"warmups": 5}, {"minimum_s": 5.0}, {"profile": True}],
    ids=str,
)
def test_more_measuring_takes_longer(change):
    model = model_with(10_000)
    more = examples.cell(settings=replace(examples.CELL.settings, **change))

    assert model.cell_s(more) > model.cell_s(examples.CELL)


def test_the_limit_bounds_a_cell():
    limited = examples.cell(settings=Settings(limit_s=3.0))

    assert model_with(10**9).cell_s(limited) == 3.0


def test_a_pack_costs_its_interpreters_its_references_and_its_cells():
    model = model_with(10_000)
    cell, other = examples.CELL, examples.cell(mode="torch_full")
    expected = START_S + 3 * model.cell_s(cell) + model.cell_s(other)

    assert model.cells_s([cell, other], "numpy_only") == pytest.approx(expected)


def test_modes_with_an_environment_of_their_own_cost_an_interpreter_more():
    model = model_with(10_000)
    plain, own, other = (
        examples.cell(mode=mode) for mode in ("torch_mixed", "torch_without_avx", "torch_openblas")
    )
    more = model.cells_s([plain, own, own, other], "numpy_only") - model.cells_s([plain] * 4, "numpy_only")

    assert more == pytest.approx(2 * START_S)


def test_a_one_off_call_costs_an_interpreter_and_a_call_for_each_cell():
    model = model_with(10_000)
    asked = replace(examples.CELL.settings, one_off=True)
    cells = [examples.cell(), examples.cell(mode="torch_full")]
    alone = model.cells_s([replace(cell, settings=asked) for cell in cells], "numpy_only")

    assert alone - model.cells_s(cells, "numpy_only") == pytest.approx(
        2 * START_S + sum(model.call_s(cell) for cell in cells)
    )


def test_processes_multiply_a_pack():
    model = model_with(10_000)
    twice = examples.cell(settings=Settings(processes=2))

    assert model.cells_s([twice], "numpy_only") == 2 * model.cells_s([examples.CELL], "numpy_only")


def test_measured_rows_replace_the_guess():
    model = CostModel.from_rows([(measured(wall), examples.CELL.hypers) for wall in (1.0, 2.0, 9.0)], None)

    assert model.cell_pairs(examples.CELL) == 1000
    assert model.call_s(examples.CELL) == pytest.approx(2.0)
    guessed = CostModel(pairs=model.pairs)
    assert model.call_s(examples.cell(mode="torch_full")) == guessed.call_s(examples.cell(mode="torch_full"))


def test_rows_without_a_time_teach_nothing():
    row = Row(mode="numpy_only", output="coefficients", status="failed")

    assert CostModel.from_rows([(row, examples.CELL.hypers)], None).per_pair_us == {}


def test_the_start_of_an_interpreter_is_learned_from_first_rows():
    rows = [
        (measured(1.0, import_s=4.0, order=1), Hypers()),
        (measured(1.0, import_s=0.0, order=2), Hypers()),
    ]

    assert CostModel.from_rows(rows, None).start_s == 6.0


def test_pairs_of_a_generated_data_set_are_guessed_within_a_factor_of_two(project):
    recipe = datasets.generated()["ellipsoids"]
    cell = examples.cell(dataset=Dataset("ellipsoids", "no file yet", recipe.digest, 8))
    frames = [frame for _, frame in zip(range(8), recipe.generate(), strict=False)]
    counted = datasets.pair_count(frames, 7.0, self_pairs=True)

    assert 0.5 * counted < CostModel(root=project.root).cell_pairs(cell) < 2 * counted


def test_the_dense_contraction_has_the_known_number_of_multiply_adds():
    assert multiply_adds(Hypers(max_angular=6)) == 24_494
    assert multiply_adds(Hypers(max_angular=9, max_radial=6)) == 5_132_827


def test_modes_that_hold_all_moments_need_memory_for_them():
    hypers = Hypers(max_angular=6)

    assert memory_mb("torch_batched", 10**6, hypers) > memory_mb("numpy_only", 10**6, hypers)
    assert memory_mb("torch_batched", 0, hypers) == memory_mb("numpy_only", 0, hypers)


def test_a_task_takes_a_moment_until_it_has_been_measured():
    task = replace(examples.CELL, mode="tensor_products.cg_dense", output="tensor_products")
    model = model_with(10**7)

    assert model.call_s(task) == TASK_S
    assert model.cell_s(task) < model.cell_s(examples.CELL)
    model.per_pair_us[task.mode, task.hypers, task.output] = 1.0
    assert model.call_s(task) == pytest.approx(10.0)
