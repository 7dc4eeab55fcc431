"""What `make bench-pool` reads from event logs, and the log that it replays to the executor."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import anisweep
from anisweep.artifacts import reading, writing
from benchmarks.pool.events import Story
from benchmarks.pool.figures import paragraph
from benchmarks.pool.fitted import Fitted
from benchmarks.pool.replay import replay
from benchmarks.pool.stage import HERE
from examples import fill, pack

#: Of two jobs that shared one transfer of their image; the first part of what HTCondor wrote.
RECORDED = """\
000 (002.000.000) 2026-11-21 16:14:36 Job submitted from host: <127.0.0.1:9618>
...
000 (002.001.000) 2026-11-21 16:14:36 Job submitted from host: <127.0.0.1:9618>
...
047 (002.-1000.000) 2026-11-21 16:14:38 Common files event: TransferStarted
	Started transferring common files
...
047 (002.-1000.000) 2026-11-21 16:14:40 Common files event: TransferFinished
	Finished transferring common files
...
001 (002.000.000) 2026-11-21 16:14:40 Job executing on host: <127.0.0.1:9620>
	SlotName: slot1_1@ep1
...
001 (002.001.000) 2026-11-21 16:14:41 Job executing on host: <127.0.0.1:9620>
	SlotName: slot1_2@ep1
...
005 (002.000.000) 2026-11-21 16:14:51 Job terminated.
	(1) Normal termination (return value 0)
		Usr 0 00:01:07, Sys 0 00:00:02  -  Run Remote Usage
		Usr 0 00:01:07, Sys 0 00:00:02  -  Total Remote Usage
	16564  -  Run Bytes Sent By Job
...
005 (002.001.000) 2026-11-21 16:14:53 Job terminated.
	(1) Normal termination (return value 0)
	16537  -  Run Bytes Sent By Job
...
"""


#: What HTCondor writes while the two run.
MEMORY = """\
006 (002.000.000) 2026-11-21 16:14:45 Image size of job updated: 133072
	131  -  MemoryUsage of job (MB)
	131028  -  ResidentSetSize of job (KB)
...
006 (002.001.000) 2026-11-21 16:14:46 Image size of job updated: 98012
	98  -  MemoryUsage of job (MB)
...
"""


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "events.log"
    file.write_text(RECORDED)
    return file


def test_a_log_tells_when_things_happened(log):
    story = Story.of([log])

    assert story.started - story.submitted == 4
    assert story.ended - story.started == 13
    assert story.run_s == 11 + 12
    assert story.cpu_s == 67 + 2
    assert story.executions == 2
    assert story.common_transfers == 1


def test_a_log_tells_the_memory_of_the_largest_job(log):
    assert Story.of([log]).memory_mb == 0
    log.write_text(RECORDED + MEMORY)

    assert Story.of([log]).memory_mb == 131


def test_each_pack_of_a_replay_completes(log, tmp_path):
    brought = tmp_path / "sound.tar.gz"
    writing.write(fill(tmp_path / "work", pack()), brought)

    found = replay(log, brought, jobs=5, seconds=3)

    assert found.jobs == 5
    assert found.events == 15


def test_a_replay_that_loses_a_pack_says_so(log, tmp_path):
    brought = tmp_path / "damaged.tar.gz"
    brought.write_text("no artifact")

    with pytest.raises(RuntimeError, match="0 of 2 packs completed"):
        replay(log, brought, jobs=2, seconds=1)


def test_a_pack_that_sleeps_returns_a_sound_artifact(tmp_path, monkeypatch):
    shutil.copyfile(HERE / "sleeping.sh", tmp_path / "prologue.sh")
    (tmp_path / "pack.json").write_text(pack().to_json())
    (tmp_path / "results" / "code").mkdir(parents=True)
    (tmp_path / "results" / "code" / "anisweep-0.whl").symlink_to(Path(anisweep.__file__).parents[1])

    monkeypatch.setenv("PACK_SECONDS", "0")
    command = f". ./prologue.sh && anisweep run-pack pack.json {pack().name}.tar.gz"
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)

    contents = reading.read(tmp_path / f"{pack().name}.tar.gz")
    assert [row.status for row in contents.rows] == ["ok"]


@pytest.mark.parametrize(("same", "said"), [(True, "the same, bit for bit."), (False, "not the same.")])
def test_the_page_says_whether_a_large_fit_has_the_same_bits_everywhere(same, said):
    large = Fitted(200_000, 9, 198.2, 274.3, 146.0, 210.4, 193.0, same, 8.0)

    assert f"the models are {said} The largest job took\n146 MB" in paragraph(large)
