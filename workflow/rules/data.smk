# Data sets: generated from a recipe, or read from a user's file. The name holds the digest of either.


rule prepare_dataset:
    input:
        lambda wildcards: inputs.dataset(f"data/{wildcards.dataset}.xyz"),
    output:
        "data/{dataset}.xyz",
    log:
        "results/logs/{dataset}.log",
    shell:
        "anisweep prepare-data {output:q} 2>&1 | tee {log:q}"
