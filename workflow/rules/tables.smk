# Tables of a study. `collect_cells` opens each artifact once and remembers its rows.

TABLES = "results/{study}/tables"
ROWS = modules("row.py", "cell.py", "tables/__init__.py", "tables/cells.py")


rule collect_cells:
    input:
        lambda wildcards: run.artifacts(wildcards.study, targets()),
        code=modules("store.py", "studies.py") + ROWS,
    output:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/cells.csv",
        f"{TABLES}/platforms.json",
        f"{TABLES}/missing.json",
    log:
        "results/logs/{study}/cells.log",
    params:
        wanted=lambda wildcards: run.tables_digest(wildcards.study),
    shell:
        "anisweep tables cells {wildcards.study} 2>&1 | tee {log:q}"


rule collect_journeys:
    input:
        lambda wildcards: run.artifacts(wildcards.study, targets()),
        run.brought_journeys(),
        code=modules(
            "cluster/arrivals.py",
            "studies.py",
            "tables/__init__.py",
            "tables/journeys.py",
        ),
    output:
        f"{TABLES}/journeys.parquet",
        f"{TABLES}/journeys.csv",
    log:
        "results/logs/{study}/journeys.log",
    params:
        wanted=lambda wildcards: run.tables_digest(wildcards.study),
    shell:
        "anisweep tables journeys {wildcards.study} 2>&1 | tee {log:q}"


rule summarise:
    input:
        f"{TABLES}/cells.parquet",
        code=modules("tables/summary.py", "statistics.py") + ROWS,
    output:
        f"{TABLES}/summary.parquet",
        f"{TABLES}/summary.csv",
    log:
        "results/logs/{study}/summary.log",
    shell:
        "anisweep tables summary {wildcards.study} 2>&1 | tee {log:q}"


rule decide:
    input:
        f"{TABLES}/summary.parquet",
        code=modules("decision.py", "tables/names.py"),
    output:
        f"{TABLES}/decision.json",
    log:
        "results/logs/{study}/decision.log",
    shell:
        "anisweep tables decision {wildcards.study} 2>&1 | tee {log:q}"


rule write_legacy_tables:
    input:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/platforms.json",
        code=modules("tables/legacy.py") + ROWS,
    output:
        f"{TABLES}/timings_local.csv",
        f"{TABLES}/summary_local.csv",
        f"{TABLES}/combined_from_metrics.csv",
        f"{TABLES}/timings.csv",
        f"{TABLES}/env_report.json",
    log:
        "results/logs/{study}/legacy.log",
    shell:
        "anisweep tables legacy {wildcards.study} 2>&1 | tee {log:q}"


rule collect_profiles:
    input:
        lambda wildcards: run.artifacts(wildcards.study, targets()),
        code=modules("tables/hotspots.py", "reading.py"),
    output:
        f"{TABLES}/hotspots.parquet",
        f"{TABLES}/hotspots.csv",
        directory("results/{study}/profiles"),
    log:
        "results/logs/{study}/profiles.log",
    params:
        wanted=lambda wildcards: run.tables_digest(wildcards.study),
    shell:
        "anisweep tables profiles {wildcards.study} 2>&1 | tee {log:q}"


rule tables:
    input:
        # All of them: Snakemake does not miss a file that only stands on the way to another one.
        expand(
            [
                *rules.collect_cells.output,
                *rules.collect_journeys.output,
                *rules.summarise.output,
                *rules.decide.output,
                *rules.write_legacy_tables.output,
            ],
            study=run.studies,
        ),
        expand(rules.collect_profiles.output, study=run.profiled),
