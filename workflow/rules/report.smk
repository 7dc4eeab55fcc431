# Figures, and the report over all studies. A study's figures are drawn by one process: starting one takes longer
# than drawing them all.

CAPTION = "../report/figure.rst"


rule draw_figures:
    input:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/summary.parquet",
        code=modules(
            "figures/*.py",
            "figures/*.mplstyle",
            "cell.py",
            "growth.py",
            "parity.py",
            "statistics.py",
            "tables/__init__.py",
            "tables/names.py",
        ),
    output:
        [
            report(f"results/{{study}}/figures/{name}.svg", caption=CAPTION)
            for name in figure_names()
        ],
        [f"results/{{study}}/figures/{name}.png" for name in figure_names()],
    log:
        "results/logs/{study}/figures.log",
    params:
        figures=figure_names(),
    shell:
        "anisweep draw {wildcards.study} {params.figures} 2>&1 | tee {log:q}"


rule judge_claims:
    input:
        expand(f"{TABLES}/summary.parquet", study=run.report_studies),
        expand(f"{TABLES}/cells.parquet", study=run.report_studies),
        run.bundles(),
        claims=run.claims,
        code=modules(
            "claims/**/*.py",
            "decision.py",
            "growth.py",
            "statistics.py",
            "tables/*.py",
        ),
    output:
        "results/claims.csv",
    log:
        "results/logs/claims.log",
    params:
        studies=run.report_studies,
    shell:
        "anisweep claims --csv {output:q} {params.studies} 2>&1 | tee {log:q}"


rule draw_profile:
    input:
        f"{TABLES}/hotspots.parquet",
        "results/{study}/profiles",
        code=modules(
            "figures/profiles/*.py", "figures/__init__.py", "figures/*.mplstyle"
        ),
    output:
        report("results/{study}/figures/{profile}.svg", caption=CAPTION),
        "results/{study}/figures/{profile}.png",
    log:
        "results/logs/{study}/{profile}.log",
    shell:
        "anisweep draw {wildcards.study} {wildcards.profile} 2>&1 | tee {log:q}"


rule write_report:
    input:
        rules.judge_claims.output,
        [
            f"results/{study}/figures/{figure}.svg"
            for study in run.studies
            for figure in run.figures(study)
        ],
        expand(f"{TABLES}/summary.parquet", study=run.report_studies),
        expand(f"{TABLES}/cells.parquet", study=run.report_studies),
        expand(f"{TABLES}/journeys.parquet", study=run.report_studies),
        expand(f"{TABLES}/platforms.json", study=run.report_studies),
        expand(f"{TABLES}/hotspots.parquet", study=run.profiled),
        run.ingested(),
        code=modules(
            "report/*.py",
            "report/page/*",
            "tables/__init__.py",
            "tables/names.py",
            "claims/text.py",
            "crossover.py",
            "decision.py",
            "growth.py",
            "parity.py",
            "recommendations.py",
            "statistics.py",
            "tables/ingested.py",
        ),
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    params:
        studies=run.report_studies,
    shell:
        "anisweep report {params.studies} 2>&1 | tee {log:q}"


rule report:
    input:
        [
            f"results/{study}/figures/{figure}.{suffix}"
            for study in run.studies
            for figure in run.figures(study)
            for suffix in ("svg", "png")
        ],
        rules.write_report.output,
