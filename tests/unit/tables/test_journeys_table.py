"""What a cluster did with packs: the table, the sums, and the report's sentence."""

from dataclasses import replace

import pandas as pd
import pytest

from anisweep.report.cluster import journeys
from anisweep.tables.journeys import PackJourney, journeys_table, makespan_of

FIRST = PackJourney(
    pack="ellipsoids-r1-0123456789ab",
    site="chtc",
    batch="20261121-120000-abcdef",
    job="17.0",
    end="home",
    host="ep1",
    slot="slot1_1@ep1",
    attempts=1,
    queued_s=10.0,
    run_s=100.0,
    measured_s=80.0,
    sent_mb=1.5,
    received_mb=240.0,
    submitted=1000.0,
    ended=1110.0,
    holds=(),
)
SECOND = replace(
    FIRST,
    pack="ellipsoids-r2-0123456789ab",
    job="17.1",
    attempts=2,
    queued_s=30.0,
    ended=1130.0,
    holds=("too little memory: asked for more",),
)
LOST = replace(
    FIRST, pack="ellipsoids-r3-0123456789ab", end="given up", run_s=None, measured_s=0.0, ended=5e6
)


def test_an_empty_table_has_its_columns():
    table = journeys_table([])

    assert len(table) == 0
    assert {"pack", "attempts", "queued_s", "holds"} <= set(table.columns)


def test_makespan_and_efficiency_are_of_the_packs_that_came_home():
    span = makespan_of(journeys_table([LOST, SECOND, FIRST]))

    assert (span.packs, span.makespan_s, span.waiting_s) == (2, 130.0, 40.0)
    assert (span.measuring_s, span.transfer_s) == (160.0, 40.0)
    assert span.efficiency == pytest.approx(0.8)


def test_the_report_says_where_the_time_went():
    table = journeys(journeys_table([FIRST, SECOND, LOST]))

    assert "2 packs came home within 130\u00a0s" in table.note
    assert "Efficiency 80 %" in table.note
    assert [row[0].text[:13] for row in table.rows] == ["ellipsoids-r1", "ellipsoids-r2", "ellipsoids-r3"]
    assert table.rows[1][-1].text == "too little memory: asked for more"


def test_it_survives_the_disk(tmp_path):
    table = journeys_table([FIRST, SECOND])
    table.to_parquet(tmp_path / "journeys.parquet")
    read = pd.read_parquet(tmp_path / "journeys.parquet")

    assert journeys(read) == journeys(table)
