"""`anisweep compare A B`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import synthetic
from anisweep import tables
from anisweep.analysis.compare import Comparison, compare, comparison_as_text, kind_of
from anisweep.cell import digest
from anisweep.cli import main
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.row import Row
from anisweep.tables.statistics import unpaired_ratio


def cells_of(rows: list[Row]) -> pd.DataFrame:
    return tables.cells_table(rows, synthetic.sources(rows))


def elsewhere(rows: list[Row], times: float, **change: str) -> list[Row]:
    """The same measured in packs of their own, ``times`` as long."""
    return [
        replace(
            r, pack=f"else-{r.pack}", key=r.key and f"e{r.key}", wall_s=times * (r.wall_s or 0.0), **change
        )
        for r in rows
    ]


def by_system(made: list[Comparison]) -> dict[str, Comparison]:
    return {each.system: each for each in made}


def test_modes_are_compared_within_packs() -> None:
    """What the machine did to both cancels: here it varies by a factor of e."""
    machine = {r.pack: float(np.exp(k)) for k, r in enumerate(synthetic.first_look(replicates=4))}
    rows = [replace(r, wall_s=(r.wall_s or 0) * machine[r.pack]) for r in synthetic.first_look(replicates=4)]
    made = by_system(compare(cells_of(rows), "mode", "torch_batched", "torch_mixed"))["benzenes"]

    assert made.paired
    assert made.ratio.verdict == "faster"
    assert made.ratio.packs == 4
    assert made.ratio.high - made.ratio.low < 0.05


def test_against_the_reference_it_says_what_the_summary_says() -> None:
    cells = cells_of(synthetic.first_look())
    summary = tables.summary_table(cells)
    (line,) = summary[(summary["dataset"] == "benzenes") & (summary["mode"] == "torch_full")].to_dict(
        "records"
    )
    made = by_system(compare(cells, "mode", "torch_full", "numpy_only"))["benzenes"]

    assert (made.ratio.value, made.ratio.low, made.ratio.verdict) == (
        line["ratio"],
        line["ratio_low"],
        line["verdict"],
    )
    assert " ".join(made.artifacts) == line["artifacts"]


def test_the_other_way_round_is_the_inverse() -> None:
    cells = cells_of(synthetic.first_look())
    one = compare(cells, "mode", "torch_full", "torch_mixed")
    other = compare(cells, "mode", "torch_mixed", "torch_full")

    for there, back in zip(one, other, strict=True):
        assert there.ratio.value * back.ratio.value == pytest.approx(1.0, rel=1e-12)
        assert there.ratio.low * back.ratio.high == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("times", "verdict"), [(0.5, "slower"), (2.0, "faster"), (1.0, "no difference")])
def test_sites(times: float, verdict: str) -> None:
    rows = synthetic.first_look(replicates=8)
    made = compare(
        cells_of(rows + elsewhere(rows, times, site="chtc", host="exec-7")), "site", "local", "chtc"
    )

    assert {each.ratio.verdict for each in made} == {verdict}
    assert len(made) == 8 * 4  # systems x modes
    assert not any(each.paired for each in made)


def test_codes_are_compared_relative_to_the_reference() -> None:
    """The new code is twice as fast, on a day on which the machine took ten times as long."""
    rows = synthetic.first_look()
    later = elsewhere(rows, 10.0)
    later = [
        replace(r, code=digest("new"), wall_s=(r.wall_s or 0) / 2)
        if (r.mode, r.role) == ("torch_full", "cell")
        else r
        for r in later
    ]
    made = compare(cells_of(rows + later), "code", digest("new")[:12], digest("torch_full")[:12])

    assert {each.ratio.verdict for each in made} == {"faster"}
    assert [each.ratio.value for each in made] == pytest.approx([0.5] * 8, rel=1e-9)


def test_one_pack_is_too_few() -> None:
    made = compare(cells_of(synthetic.first_look(replicates=1)), "mode", "torch_full", "torch_mixed")

    assert {each.ratio.verdict for each in made} == {"too few packs"}
    assert "too few packs: an interval needs two of each" in comparison_as_text(made, "a", "b")


def test_the_text_says_what_could_have_been_seen() -> None:
    made = compare(cells_of(synthetic.first_look(noise=0.1)), "mode", "torch_full", "numpy_only")
    text = comparison_as_text(made, "torch_full", "numpy_only")

    assert "`faster` means that torch_full is" in text
    assert all(f"could have shown {each.ratio.detectable:.3g}x" in text for each in made)
    assert "More replicates" in text


def test_welch_of_a_textbook() -> None:
    """Logarithms 1, 2, 3 and 2, 4, 6: difference -2, standard error sqrt(1/3 + 4/3), 2.9412 degrees."""
    ratio = unpaired_ratio(list(np.exp([1.0, 2.0, 3.0])), list(np.exp([2.0, 4.0, 6.0])))

    assert np.log(ratio.value) == pytest.approx(-2.0, rel=1e-12)
    assert np.log(ratio.high) - np.log(ratio.value) == pytest.approx(1.2909944 * 3.2189, rel=2e-4)
    assert ratio.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        ("torch_full", "numpy_only", "mode"),
        ("local", "chtc", "site"),
        (digest("torch_full")[:8], digest("torch_mixed"), "code"),
    ],
)
def test_names_are_recognised(a: str, b: str, kind: str) -> None:
    rows = synthetic.first_look()
    assert kind_of(cells_of(rows + elsewhere(rows, 1.0, site="chtc")), a, b) == kind


def test_unknown_names_are_answered_with_what_there_is() -> None:
    with pytest.raises(UserError) as refused:
        kind_of(cells_of(synthetic.first_look()), "torch_ful", "local")

    for words in ("torch_full", "sites    local", digest("torch_full")[:12], "folders"):
        assert words in str(refused.value)


def test_two_folders(tmp_path: Path) -> None:
    rows = synthetic.first_look()
    for name, some in {"before": rows, "after": elsewhere(rows, 0.5)}.items():
        tables.write_cells(some, synthetic.sources(some), tmp_path / name / "first_look" / "tables")

    said = CliRunner().invoke(main, ["compare", str(tmp_path / "after"), str(tmp_path / "before")])

    assert said.exit_code == 0, said.output
    assert said.output.count(" faster ") == 8 * 4


def test_folders_of_the_project_do_not_hide_sites(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`snakemake --profile local` needs a folder of that name."""
    rows = synthetic.first_look()
    both = rows + elsewhere(rows, 0.5, site="chtc")
    study = project.results / "first_look"
    tables.write_all(both, synthetic.sources(both), study / "tables")
    (study / "configuration.yaml").write_text("question: Where?\n")
    for site in ("local", "chtc"):
        (project.root / site).mkdir()
    monkeypatch.chdir(project.root)

    said = CliRunner().invoke(main, ["compare", "chtc", "local"])

    assert said.exit_code == 0, said.output
    assert said.output.count(" faster ") == 8 * 4


def test_lengths_of_a_data_set_are_told_apart() -> None:
    rows = synthetic.first_look()
    longer = [replace(row, frames=9) for row in elsewhere(rows, 3.0) if row.dataset == "benzenes"]
    made = by_system(compare(cells_of(rows + longer), "mode", "torch_full", "numpy_only"))

    assert {"benzenes, 2 frames", "benzenes, 9 frames", "two species"} <= set(made)


def test_a_folder_without_tables(tmp_path: Path, project: Project) -> None:
    said = CliRunner().invoke(main, ["compare", str(tmp_path), str(tmp_path)])

    assert said.exit_code == 1
    assert "no tables below it. Allowed: a folder like results/" in said.output


def test_nothing_measured(project: Project) -> None:
    said = CliRunner().invoke(main, ["compare", "torch_full", "numpy_only"])

    assert said.exit_code == 1
    assert "`make run STUDY=first_look` makes them" in said.output
