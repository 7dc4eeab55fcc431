# Figures, one rule run each, and the report over all studies.


rule draw_figure:
    input:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/summary.parquet",
        code=lambda wildcards: modules(
            f"figures/{wildcards.figure}.py",
            "figures/_*.py",
            "figures/*.mplstyle",
            "tables/__init__.py",
            "tables/names.py",
        ),
    output:
        report("results/{study}/figures/{figure}.svg", caption="../report/figure.rst"),
        "results/{study}/figures/{figure}.png",
    log:
        "results/logs/{study}/{figure}.log",
    shell:
        "anisweep draw {wildcards.study} {wildcards.figure} 2>&1 | tee {log:q}"


rule write_report:
    input:
        expand(
            "results/{study}/figures/{figure}.svg",
            study=run.studies,
            figure=figure_names(),
        ),
        expand(f"{TABLES}/summary.parquet", study=run.report_studies),
        expand(f"{TABLES}/cells.parquet", study=run.report_studies),
        expand(f"{TABLES}/platforms.json", study=run.report_studies),
        run.ingested(),
        code=modules(
            "report/*.py",
            "report/page/*",
            "tables/__init__.py",
            "tables/ingested.py",
            "tables/names.py",
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
        expand(rules.draw_figure.output, study=run.studies, figure=figure_names()),
        rules.write_report.output,
