# Figures, and the report over all studies. A study's figures are drawn by one process: starting one takes longer
# than drawing them all.

CAPTION = "../report/figure.rst"
FIGURES = "results/{study}/figures"


rule draw_figures:
    input:
        f"{TABLES}/cells.parquet",
        f"{TABLES}/summary.parquet",
        code=code_of("figures/*.py", "figures/*.mplstyle"),
    output:
        [f"{FIGURES}/{name}.png" for name in figures.names()],
        svg=[
            report(f"{FIGURES}/{name}.svg", caption=CAPTION)
            for name in figures.names()
        ],
    log:
        "results/logs/{study}/figures.log",
    params:
        tables=subpath(input[0], parent=True),
    shell:
        "anisweep draw {params.tables:q} {output.svg:q} 2>&1 | tee {log:q}"


rule judge_claims:
    input:
        expand(f"{TABLES}/cells.parquet", study=inputs.report_studies),
        inputs.checked_bundles(),
        claims=inputs.claims(),
        code=code_of("analysis/claims/**/*.py"),
    output:
        "results/claims.csv",
    log:
        "results/logs/claims.log",
    params:
        studies=inputs.report_studies,
    shell:
        "anisweep claims --csv {output:q} {params.studies} 2>&1 | tee {log:q}"


rule draw_profile:
    input:
        f"{TABLES}/hotspots.parquet",
        profiles="results/{study}/profiles",
        code=code_of("figures/profiles/*.py", "figures/*.mplstyle"),
    output:
        f"{FIGURES}/{{profile}}.png",
        svg=report(f"{FIGURES}/{{profile}}.svg", caption=CAPTION),
    log:
        "results/logs/{study}/{profile}.log",
    params:
        tables=subpath(input[0], parent=True),
    shell:
        "anisweep draw-profile {params.tables:q} {input.profiles:q} {output.svg:q} 2>&1 | tee {log:q}"


rule write_report:
    input:
        [
            expand(f"{FIGURES}/{{name}}.svg", study=study, name=inputs.figures(study))
            for study in run.studies
        ],
        expand(f"{TABLES}/summary.parquet", study=inputs.report_studies),
        expand(f"{TABLES}/cells.parquet", study=inputs.report_studies),
        expand(f"{TABLES}/job_records.parquet", study=inputs.report_studies),
        expand(f"{TABLES}/platforms.json", study=inputs.report_studies),
        expand(f"{TABLES}/hotspots.parquet", study=inputs.profiled),
        inputs.old_bundles(),
        claims=rules.judge_claims.output,
        code=code_of("report/**/*.py", "report/page/*", "modes/*.py"),
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    params:
        studies=inputs.report_studies,
    shell:
        "anisweep report {output:q} {input.claims:q} {params.studies} 2>&1 | tee {log:q}"


rule report:
    input:
        [
            expand(
                f"{FIGURES}/{{name}}.{{end}}",
                study=study,
                name=inputs.figures(study),
                end=["svg", "png"],
            )
            for study in run.studies
        ],
        rules.write_report.output,
