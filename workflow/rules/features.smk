# Features of files: they are cut into shards, each shard is described by a job, and all are merged. Only shards of
# the plan have inputs that exist, so one that is computed is a source file, and no trigger can compute it again.

import sys

from anisweep.workflow import life_cycle
from anisweep.workflow.feature_run import FeatureRun, blas_of

run = FeatureRun.read(config["features"], config.get("site", "local"))
print(run.opening, file=sys.stderr, flush=True)

# Like the kernels, OpenBLAS computes as the one instruction set does, on whatever machine.
BLAS = blas_of(run.plan.asked)


wildcard_constraints:
    key="[0-9a-f]{16}",


onstart:
    run.start()


onsuccess:
    life_cycle.end_at_once()
    run.plan.remove_pieces()


onerror:
    life_cycle.end_at_once()
    run.fail()


localrules:
    features,
    split_frames,
    merge_features,


rule features:
    input:
        run.plan.asked.output,


rule split_frames:
    input:
        run.plan.asked.files,
    output:
        [temp(run.plan.path("pieces", key)) for key in run.plan.to_split],
    params:
        name=run.plan.name,
        site=run.site,
    shell:
        "anisweep features split {params.name} {params.site}"


rule describe_shard:
    input:
        lambda wildcards: run.inputs(wildcards.key),
        code=[run.jobs.wheel] if run.jobs and run.plan.missing else [],
    output:
        run.plan.path("shards", "{key}"),
    log:
        run.plan.path("logs", "{key}"),
    priority: 10
    container:
        run.jobs.image("cpu") if run.jobs else "containers/cpu.sif"
    threads: 1
    resources:
        mem_mb=lambda wildcards: run.request(wildcards.key).memory_mb,
        disk_mb=lambda wildcards: run.request(wildcards.key).disk_mb,
        runtime=lambda wildcards: run.request(wildcards.key).minutes,
    params:
        large=lambda wildcards: run.large_option(wildcards.key),
    shell:
        BLAS
        + "anisweep features shard {input[0]:q} {input[1]:q} {output:q}{params.large} 2>&1 | tee {log:q}"


rule merge_features:
    input:
        sorted({run.plan.path("shards", job.key) for job in run.plan.jobs}),
        order=run.plan.order,
    output:
        run.plan.asked.output,
    params:
        name=run.plan.name,
        site=run.site,
    shell:
        BLAS + "anisweep features merge {params.name} {params.site} {output:q}"
