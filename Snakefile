"""AniSweep: configuration -> plan -> packs -> artifacts -> tables -> figures -> report.

The plan (src/anisweep/plan) decides what is measured; Snakemake executes it and makes what follows.
"""

import logging

from snakemake.logging import logger
from snakemake.settings.enums import Quietness


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


# Only with `--sdm apptainer`; else rules run in the environment that `make env` made.
container: "containers/cpu.sif"


# The local profile keeps Snakemake quiet; what goes wrong in it is still to be read.
if Quietness.ALL in (workflow.output_settings.quiet or ()):
    errors = logging.StreamHandler()
    errors.setLevel(logging.ERROR)
    logger.addHandler(errors)


# A run either computes features of files (`--config features=NAME`), or measures studies.
if "features" in config:

    include: "workflow/rules/features.smk"

    localrules:
        all,

    rule all:
        default_target: True
        input:
            rules.features.input,

else:

    include: "workflow/rules/common.smk"
    include: "workflow/rules/data.smk"
    include: "workflow/rules/measure.smk"
    include: "workflow/rules/tables.smk"
    include: "workflow/rules/report.smk"

    # Only packs are measured elsewhere.
    localrules:
        all,
        measure,
        tables,
        report,
        judge,
        prepare_dataset,
        collect_cells,
        collect_job_records,
        collect_profiles,
        summarise,
        judge_conversion,
        write_old_tables,
        draw_figures,
        judge_claims,
        draw_profile,
        write_report,

    rule all:
        default_target: True
        input:
            rules.report.input,
            rules.tables.input,
