"""What a cluster did with packs: the table, the sums, and the report's sentence."""

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

import synthetic
from anisweep.report.sections.cluster_jobs import section
from anisweep.tables import read, write_job_records
from anisweep.tables.job_records import PackJobRecord, job_records_of_csv, job_records_table, makespan_of

FIRST = PackJobRecord(
    pack="ellipsoids-r1-0123456789ab",
    site="chtc",
    batch="20261121-120000-abcdef",
    job="17.0",
    end="completed",
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
    FIRST, pack="ellipsoids-r3-0123456789ab", end="failed permanently", run_s=None, measured_s=0.0, ended=5e6
)


def test_an_empty_table_has_its_columns():
    table = job_records_table([])

    assert len(table) == 0
    assert {"pack", "attempts", "queued_s", "holds"} <= set(table.columns)


def test_makespan_and_efficiency_are_of_the_packs_that_completed():
    span = makespan_of(job_records_table([LOST, SECOND, FIRST]))

    assert (span.packs, span.makespan_s, span.waiting_s) == (2, 130.0, 40.0)
    assert (span.measuring_s, span.transfer_s) == (160.0, 40.0)
    assert span.efficiency == pytest.approx(0.8)


def test_the_report_says_where_the_time_went():
    table = section(synthetic.measured(job_records=job_records_table([FIRST, SECOND, LOST])))

    assert "2 packs completed within 130\u00a0s" in table.note
    assert "Efficiency 80 %" in table.note
    assert [row[0].text[:13] for row in table.rows] == ["ellipsoids-r1", "ellipsoids-r2", "ellipsoids-r3"]
    assert table.rows[1][-1].text == "too little memory: asked for more"


def test_it_survives_the_disk(tmp_path):
    table = job_records_table([FIRST, SECOND])
    table.to_parquet(tmp_path / "job_records.parquet")
    again = pd.read_parquet(tmp_path / "job_records.parquet")

    assert section(synthetic.measured(job_records=again)) == section(synthetic.measured(job_records=table))


@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "Asia/Kolkata"])
def test_times_in_the_csv_are_utc_in_every_zone_and_around_the_end_of_summer_time(tmp_path, live_in, zone):
    """In Chicago, on 2026-11-01, the hour from one to two comes twice: from 06:00 to 08:00 UTC."""
    live_in(zone)
    before = datetime(2026, 11, 1, 6, 30, tzinfo=UTC).timestamp()
    some = [replace(FIRST, submitted=before, ended=before + 3600.125), replace(SECOND, ended=None)]
    write_job_records(some, tmp_path)
    text = (tmp_path / "job_records.csv").read_text()

    assert "2026-11-01T06:30:00.000+00:00,2026-11-01T07:30:00.125+00:00" in text
    assert sorted(job_records_of_csv(text), key=lambda each: each.pack) == some


def test_a_table_of_before_holds_seconds(tmp_path):
    write_job_records([FIRST], tmp_path)
    text = (tmp_path / "job_records.csv").read_text()
    before = text.replace("1970-01-01T00:16:40.000+00:00", "1000.0")

    assert before != text
    assert job_records_of_csv(before) == [FIRST]


def test_a_time_without_its_zone_is_refused(tmp_path):
    write_job_records([FIRST], tmp_path)
    text = (tmp_path / "job_records.csv").read_text().replace("+00:00", "")

    with pytest.raises(ValueError, match="without its zone"):
        job_records_of_csv(text)


def in_the_words_of_before(file):
    table = pd.read_parquet(file)
    words = {"completed": "home", "failed permanently": "given up"}
    table.assign(end=table["end"].replace(words)).to_parquet(file.with_name("journeys.parquet"), index=False)
    file.unlink()


def test_a_table_of_the_former_version_is_read_and_its_new_name_said(tmp_path, capsys):
    folder = tmp_path / "mine" / "tables"
    write_job_records([FIRST, SECOND, LOST], folder)
    written = read(folder, "job_records")
    in_the_words_of_before(folder / "job_records.parquet")

    pd.testing.assert_frame_equal(read(folder, "job_records"), written)

    said = capsys.readouterr().err
    assert "journeys.parquet is called job_records.parquet now" in said
    assert "What makes this table again writes the new name" in said


def test_ends_in_the_words_of_before_are_read(tmp_path):
    write_job_records([FIRST, LOST], tmp_path)
    text = (tmp_path / "job_records.csv").read_text()
    before = text.replace("completed", "home").replace("failed permanently", "given up")

    assert before != text
    assert job_records_of_csv(before) == job_records_of_csv(text)
