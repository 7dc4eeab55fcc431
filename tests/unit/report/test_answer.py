from __future__ import annotations

from dataclasses import replace

import pytest

import synthetic
from anisweep import tables
from anisweep.cell import NOT_PINNED
from anisweep.report import answer
from anisweep.row import Row


def answer_to(rows: list[Row], missing: list[str] | None = None) -> str:
    cells = tables.cells_table(rows, synthetic.sources(rows), missing or [])
    return answer(tables.summary_table(cells), cells, missing or [])


def as_fast_as_the_reference(row: Row) -> Row:
    pairs = row.pairs or 0
    return replace(row, wall_s=1e-4 * pairs)


def test_the_answer_names_times_ratio_stage_and_agreement() -> None:
    said = answer_to(synthetic.first_look(noise=0.0)).replace("\u00a0", " ")

    assert said.startswith("Published AniSOAP takes 62.1 ms for 50 frames of ellipsoids (668 pairs)")
    assert "317 ms for 2 frames of benzenes (3,491 pairs)" in said
    assert "torch_batched is the fastest mode on all 8 problems, 4.58 times as fast for benzenes" in said
    assert "66 % of published AniSOAP's time on benzenes goes into the contraction" in said
    assert said.endswith("all modes agree (largest relative difference 1.2e-14).")


def test_of_several_numbers_of_threads_the_fewest_are_meant() -> None:
    rows = synthetic.first_look(noise=0.0)
    more = [
        replace(row, threads=threads, wall_s=9 * (row.wall_s or 0.0), pack=f"{row.pack}-{threads}")
        for row in rows
        for threads in (NOT_PINNED, 2)
    ]
    said = answer_to(rows + more).replace("\u00a0", " ")

    assert "62.1 ms for 50 frames of ellipsoids (668 pairs) and 317 ms for 2 frames of benzenes" in said


def test_frames_are_said_once() -> None:
    rows = synthetic.first_look(noise=0.0)
    more = [replace(r, frames=2 * r.frames, pairs=2 * (r.pairs or 0), pack=f"{r.pack}-2") for r in rows]
    said = answer_to(rows + more).replace("\u00a0", " ")

    assert "for 50 frames of ellipsoids (668 pairs) and" in said
    assert "for 4 frames of benzenes (6,982 pairs)" in said


def test_it_never_hides_what_went_wrong() -> None:
    said = answer_to(synthetic.with_troubles(), ["one cell"])

    assert "agree" not in said
    assert "wrong results: torch_batched (four species)" in said
    assert "Incomplete: 1 cell is missing." in said
    assert "on 7 of 8 problems" in said
    assert "7 of 96 cells not ok (1 failed, 3 unavailable, 3 wrong)" in said


def test_unavailable_cells_are_counted() -> None:
    rows = [
        replace(row, status="unavailable", reason="no CUDA device", **synthetic.UNMEASURED)
        if row.mode == "torch_full"
        else row
        for row in synthetic.first_look(noise=0.0)
    ]
    said = answer_to(rows)

    assert "24 of 96 cells unavailable (no CUDA device); all other results agree (largest relative" in said
    assert "all modes agree" not in said


def test_what_no_bound_holds_is_reported_and_not_called_equal() -> None:
    rows = [
        replace(row, precision="bf16", bound=None, max_relative_error=0.004)
        if row.mode == "torch_batched"
        else row
        for row in synthetic.first_look(noise=0.0)
    ]
    said = answer_to(rows)

    assert "all results with a bound agree (largest relative difference 9.0e-15)" in said
    assert said.endswith("; bf16 differs by up to 0.00400.")


def test_one_replicate_tells_no_winner() -> None:
    said = answer_to(synthetic.first_look(replicates=1))

    assert "there are too few replicates to tell which mode is fastest" in said
    assert "beyond the noise" not in said


def test_two_problems_are_both() -> None:
    rows = [row for row in synthetic.first_look(noise=0.0) if row.dataset in ("benzenes", "two_species")]
    assert "torch_batched is the fastest mode on both problems" in answer_to(rows)


def test_noise_is_no_win() -> None:
    said = answer_to([as_fast_as_the_reference(row) for row in synthetic.first_look()])
    assert "no other mode is faster beyond the noise" in said


def test_another_reference_is_not_called_published() -> None:
    rows = [replace(r, mode={"numpy_only": "fast"}.get(r.mode, r.mode)) for r in synthetic.first_look()]
    said = answer_to(rows)

    assert said.startswith("fast takes ")
    assert "AniSOAP" not in said


def test_it_speaks_of_one_site() -> None:
    rows = synthetic.first_look(noise=0.0)
    there = [replace(r, site="chtc", pack=f"there-{r.pack}", wall_s=9 * (r.wall_s or 0)) for r in rows]

    assert answer_to(rows + there) == "At local: " + answer_to(rows)


@pytest.mark.parametrize("missing", [[], ["a", "b"]])
def test_without_any_row(missing: list[str]) -> None:
    said = answer_to([], missing)

    assert said.startswith("Nothing has been measured yet.")
    assert ("2 cells are missing" in said) == bool(missing)


def test_without_the_reference() -> None:
    rows = [r for r in synthetic.first_look() if r.mode != "numpy_only"]
    assert answer_to(rows).startswith("The reference mode has no time yet")


def test_where_the_reference_has_no_time_the_reason_is_said() -> None:
    reason = "power spectrum of 2 species: the published package has it for one species only"
    rows = [
        replace(row, status="unavailable", reason=reason, **synthetic.UNMEASURED)
        for row in synthetic.first_look(noise=0.0)
        if row.dataset == "two_species"
    ]
    said = answer_to(rows)

    assert said.startswith("The reference mode has no time; ")
    assert f"unavailable ({reason})." in said
    assert "yet" not in said


def test_of_several_reasons_the_first_is_said_and_the_others_counted() -> None:
    rows = [
        replace(row, status="failed", reason=f"{row.mode} broke\nwith more", **synthetic.UNMEASURED)
        for row in synthetic.first_look(noise=0.0)
        if row.dataset == "two_species"
    ]

    assert "numpy_only broke; and " in answer_to(rows)
    assert "with more" not in answer_to(rows)
