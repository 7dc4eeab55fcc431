# Measuring: one job a pack. Only packs of the plan have inputs that exist, so a measured artifact is a
# source file, and no trigger of Snakemake can measure it again.


rule measure_pack:
    input:
        pack=lambda wildcards: inputs.pack(wildcards.pack),
        data=lambda wildcards: inputs.data(wildcards.pack),
        code=lambda wildcards: inputs.code(wildcards.pack),
    output:
        "results/artifacts/{pack}.tar.gz",
    log:
        "results/logs/{pack}.log",
    priority: 10
    container:
        lambda wildcards: inputs.container(wildcards.pack)
    # Here all cores: whatever runs beside a measurement disturbs it. The pack pins its own threads.
    threads: lambda wildcards: inputs.threads(wildcards.pack)
    # What a cluster is asked for.
    resources:
        mem_mb=lambda wildcards: inputs.request(wildcards.pack).memory_mb,
        disk_mb=lambda wildcards: inputs.request(wildcards.pack).disk_mb,
        runtime=lambda wildcards: inputs.request(wildcards.pack).minutes,
        gpus=lambda wildcards: inputs.request(wildcards.pack).gpus,
    shell:
        "anisweep run-pack {input.pack:q} {output:q} | tee {log:q}"


# Where cells have no measurement there is this to be done: a run that did nothing would end as a success.
rule judge:
    output:
        touch(JUDGED),


rule measure:
    input:
        inputs.judged(),
        [artifact for study in run.studies for artifact in inputs.artifacts(study)],
