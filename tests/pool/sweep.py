"""A user's clone on the access point: the project in a home, its commands, and what HTCondor did."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from clone import ROOT, Clone
from condor.pool import Pool
from condor.pool.image import BASE, IMAGES

#: What a user fills in; the values are the pool's.
SITE = f"""\
netid: zoe
email: ""
staging: {IMAGES}
image: {{small: true, base: {BASE}}}
submit: {{}}
"""


@dataclass(frozen=True)
class Sweep(Clone):
    """A clone whose commands run as the pool's ordinary user on the access point."""

    pool: Pool | None = None

    @classmethod
    def on(cls, pool: Pool, name: str, site: str = SITE) -> Sweep:
        """A fresh clone in the user's home."""
        made = cls.of_the_tree(pool.home / name)
        (made.root / "condor" / "site.yaml").write_text(site)
        pool.give(made.root)
        return cls(made.root, {}, pool)

    @property
    def there(self) -> str:
        """The clone as its user sees it."""
        assert self.pool is not None
        return f"{self.pool.user.home}/{self.root.relative_to(self.pool.home)}"

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the user's; its output is one stream."""
        assert self.pool is not None
        code = {"PYTHONPATH": f"{self.there}/src:{self.there}/condor/executor", "OMP_NUM_THREADS": "1"}
        quiet = {"PYTHONWARNINGS": "ignore::FutureWarning"}
        return subprocess.Popen(
            self.pool.as_user(*command, cwd=self.there, **code, **quiet, **environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def chtc(self, *arguments: str, study: str = "tiny", status: int = 0, **environment: str) -> str:
        """`snakemake --profile chtc` on a study."""
        config = ("--config", f"study={study}")
        return self.run("snakemake", "--profile", "chtc", *config, *arguments, status=status, **environment)

    # --- what HTCondor did -----------------------------------------------------------------------------

    def batches(self) -> list[Path]:
        return sorted(path.parent for path in self.root.glob("results/batches/[!.]*/batch.json"))

    def journeys(self) -> list[dict[str, object]]:
        """How packs ended, over all batches."""
        ledgers = [folder / "journeys.jsonl" for folder in self.batches()]
        texts = [ledger.read_text() for ledger in ledgers if ledger.exists()]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def ends(self) -> Counter[str]:
        return Counter(str(journey["end"]) for journey in self.journeys())

    def executions(self) -> Counter[str]:
        """How often the job of each pack was started, from the event logs alone."""
        counts: Counter[str] = Counter()

        for folder in self.batches():
            names = [entry["name"] for entry in json.loads((folder / "batch.json").read_text())["entries"]]
            log = folder / "events.log"
            text = log.read_text() if log.exists() else ""
            for proc in re.findall(r"^001 \(\d+\.(\d+)\.", text, re.MULTILINE):
                counts[names[int(proc)]] += 1
        return counts

    def queue(self) -> list[str]:
        """The jobs of this user that are in the queue."""
        assert self.pool is not None
        return self.pool.run("condor_q", "-af:j", "JobStatus", "SweepBatch").stdout.splitlines()


__all__ = ["ROOT", "SITE", "Sweep"]
