# Tables of a study. `collect_cells` opens each artifact once and remembers its rows.

TABLES = "results/{study}/tables"


rule collect_cells:
    input:
        lambda wildcards: inputs.artifacts(wildcards.study, targets()),
        code=code_of("workflow/studies.py", "tables/cells.py"),
    output:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/cells.csv",
        f"{TABLES}/platforms.json",
        f"{TABLES}/missing.json",
    log:
        "results/logs/{study}/cells.log",
    params:
        wanted=lambda wildcards: inputs.tables_digest(wildcards.study),
        folder=subpath(output[0], parent=True),
    shell:
        "anisweep tables cells {wildcards.study} {params.folder:q} 2>&1 | tee {log:q}"


rule collect_job_records:
    input:
        lambda wildcards: inputs.artifacts(wildcards.study, targets()),
        inputs.brought_job_records(),
        code=code_of("workflow/studies.py", "tables/job_records.py"),
    output:
        f"{TABLES}/job_records.parquet",
        f"{TABLES}/job_records.csv",
    log:
        "results/logs/{study}/job_records.log",
    params:
        wanted=lambda wildcards: inputs.tables_digest(wildcards.study),
        folder=subpath(output[0], parent=True),
    shell:
        "anisweep tables job_records {wildcards.study} {params.folder:q} 2>&1 | tee {log:q}"


rule summarise:
    input:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/missing.json",
        code=code_of("tables/summary.py", "report/answer.py"),
    output:
        f"{TABLES}/summary.parquet",
        f"{TABLES}/summary.csv",
        f"{TABLES}/answer.txt",
    log:
        "results/logs/{study}/summary.log",
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "anisweep tables summary {params.folder:q} 2>&1 | tee {log:q}"


rule judge_conversion:
    input:
        f"{TABLES}/summary.parquet",
        code=code_of("analysis/conversion.py"),
    output:
        f"{TABLES}/conversion.json",
    log:
        "results/logs/{study}/conversion.log",
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "anisweep tables conversion {params.folder:q} {output:q} 2>&1 | tee {log:q}"


rule write_old_tables:
    input:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/platforms.json",
        code=code_of("tables/old_tables.py"),
    output:
        f"{TABLES}/timings_local.csv",
        f"{TABLES}/summary_local.csv",
        f"{TABLES}/combined_from_metrics.csv",
        f"{TABLES}/timings.csv",
        f"{TABLES}/env_report.json",
    log:
        "results/logs/{study}/old_tables.log",
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "anisweep tables old_tables {params.folder:q} 2>&1 | tee {log:q}"


rule collect_profiles:
    input:
        lambda wildcards: inputs.artifacts(wildcards.study, targets()),
        code=code_of("workflow/studies.py", "tables/hotspots.py"),
    output:
        f"{TABLES}/hotspots.parquet",
        f"{TABLES}/hotspots.csv",
        profiles=directory("results/{study}/profiles"),
    log:
        "results/logs/{study}/profiles.log",
    params:
        wanted=lambda wildcards: inputs.tables_digest(wildcards.study),
        folder=subpath(output[0], parent=True),
    shell:
        "anisweep tables profiles {wildcards.study} {params.folder:q} {output.profiles:q} 2>&1 | tee {log:q}"


rule tables:
    input:
        # All of them: Snakemake does not miss a file that only stands on the way to another one.
        expand(
            [
                *rules.collect_cells.output,
                *rules.collect_job_records.output,
                *rules.summarise.output,
                *rules.judge_conversion.output,
                *rules.write_old_tables.output,
            ],
            study=run.studies,
        ),
        expand(rules.collect_profiles.output, study=inputs.profiled),
        inputs.judged(),
