# The plan of this run, frozen when the Snakefile is read, and what is said before and after.

import sys

from anisweep import figures
from anisweep.source import code_of
from anisweep.workflow import life_cycle, messages
from anisweep.workflow.rule_inputs import RuleInputs
from anisweep.workflow.run import JUDGED, Run

run = Run.read(config)
inputs = RuleInputs(run)
print(messages.opening(run), file=sys.stderr, flush=True)


def targets():
    """What was asked for on the command line; known once the DAG is built."""
    return workflow.dag_settings.targets


wildcard_constraints:
    study="|".join(run.studies),
    profile=r"(prof|flame)_\w+",
    pack=r"[a-z0-9_]+-r\d+-[0-9a-f]{12}(-\d+)?",


onstart:
    life_cycle.start(run)


onsuccess:
    life_cycle.succeed(run, targets())


onerror:
    life_cycle.fail(run)
