# Measuring: one job a pack. Only packs of the plan have inputs that exist, so a measured artifact is a
# source file, and no trigger of Snakemake can measure it again.


rule measure_pack:
    input:
        lambda wildcards: run.pack_inputs(wildcards.pack),
    output:
        "results/artifacts/{pack}.tar.gz",
    # All cores: whatever runs beside a measurement disturbs it. The pack pins its own threads.
    threads: 1000
    priority: 10
    shell:
        "anisweep run-pack {input[0]:q} {output:q}"


rule measure:
    input:
        [artifact for study in run.studies for artifact in run.artifacts(study)],
