# Measuring: one job a pack. Only packs of the plan have inputs that exist, so a measured artifact is a
# source file, and no trigger of Snakemake can measure it again.


rule measure_pack:
    input:
        pack=lambda wildcards: run.pack_input(wildcards.pack),
        data=lambda wildcards: run.data_inputs(wildcards.pack),
        code=lambda wildcards: run.code_inputs(wildcards.pack),
    output:
        "results/artifacts/{pack}.tar.gz",
    log:
        "results/logs/{pack}.log",
    priority: 10
    container:
        lambda wildcards: run.container(wildcards.pack)
    # Here all cores: whatever runs beside a measurement disturbs it. The pack pins its own threads.
    threads: lambda wildcards: run.threads(wildcards.pack)
    # What a cluster is asked for.
    resources:
        mem_mb=lambda wildcards: run.request(wildcards.pack).memory_mb,
        disk_mb=lambda wildcards: run.request(wildcards.pack).disk_mb,
        runtime=lambda wildcards: run.request(wildcards.pack).minutes,
        gpus=lambda wildcards: run.request(wildcards.pack).gpus,
    shell:
        "anisweep run-pack {input.pack:q} {output:q} | tee {log:q}"


rule measure:
    input:
        [artifact for study in run.studies for artifact in run.artifacts(study)],
