# The plan of this run, frozen when the Snakefile is read, and what is said before and after.

import sys

from anisweep.run import Run, figure_names, modules

run = Run.read(config)
print(run.opening(), file=sys.stderr, flush=True)


wildcard_constraints:
    study="|".join(run.studies),
    figure="|".join(figure_names()),
    pack=r"[a-z0-9_]+-r\d+-[0-9a-f]{12}(-\d+)?",


onstart:
    run.start()


onsuccess:
    print(run.closing(), flush=True)


onerror:
    print(run.failed(), flush=True)
