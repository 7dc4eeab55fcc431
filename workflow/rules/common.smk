# The plan of this run, frozen when the Snakefile is read, and what is said before and after.

import logging
import sys

from snakemake.logging import logger
from snakemake.settings.enums import Quietness

from anisweep.run import Run, figure_names, modules

# The local profile keeps Snakemake quiet; what goes wrong in it is still to be read.
if Quietness.ALL in (workflow.output_settings.quiet or ()):
    errors = logging.StreamHandler()
    errors.setLevel(logging.ERROR)
    logger.addHandler(errors)

run = Run.read(config)
print(run.opening(), file=sys.stderr, flush=True)


def targets():
    """What was asked for on the command line; known once the DAG is built."""
    return workflow.dag_settings.targets


wildcard_constraints:
    study="|".join(run.studies),
    profile=r"(prof|flame)_\w+",
    pack=r"[a-z0-9_]+-r\d+-[0-9a-f]{12}(-\d+)?",


onstart:
    run.start()


onsuccess:
    print(run.closing(), flush=True)


onerror:
    print(run.failed(), flush=True)
