# A workflow with whatever files Snakemake knows, each rule on HTCondor.


container: config["image"]


envvars:
    "TOKEN",


shell.prefix("set -eo pipefail; words=prefixed; ")
shell.suffix("; : $NOT_SET")


localrules:
    all,
    merge,


rule all:
    input:
        "merged.txt",
        "touched",
        "of links.txt",
        "measured.tsv",
        "rendered.txt",


# A folder of files whose names HTCondor's lists cannot hold, with links in it.
checkpoint split:
    output:
        directory("parts"),
        listing="a,b=c;d ü.txt",
        kept=protected("kept.txt"),
    shell:
        "mkdir -p {output[0]}/sub/empty; echo 1 > {output[0]}/sub/p=1; "
        "ln -s sub {output[0]}/link; ls {output[0]} > {output.listing:q}; cp {output.listing:q} {output.kept}"


rule count:
    input:
        "parts/sub/p={n}",
        listing="a,b=c;d ü.txt",
    output:
        "one/{n}.txt",
        temp("one/{n}.tmp"),
        ensure("one/{n}.full", non_empty=True),
    log:
        a="logs/{n}.a",
        b="logs/{n}.b",
    shell:
        "echo printed; echo first > {log.a}; echo second > {log.b}; cat {input.listing:q} >> {log.b}; "
        "cat {input[0]} | tee {output[0]} {output[2]} > {output[1]}"


def parts(wildcards):
    names = sorted(file.name for file in Path(checkpoints.split.get().output[0], "sub").glob("p=*"))
    return [f"one/{name[2:]}.{end}" for name in names for end in ("txt", "tmp")]


rule merge:
    input:
        parts,
    output:
        "merged.txt",
    shell:
        "cat {input} > {output}"


rule follow_links:
    input:
        config["outside"] + "/genome one.fa",
        config["outside"] + "/genome one.fa.fai",
        "linked",
    output:
        "of links.txt",
        touch("touched"),
    benchmark:
        repeat("measured.tsv", 2)
    shell:
        "sleep 1; cat {input[0]:q} {input[0]:q}.fai {input[2]}/*.fai > {output[0]:q}"


rule render_it:
    output:
        "rendered.txt",
    params:
        odd="ü 'b'",
    retries: 1
    resources:
        mem_mb=lambda wildcards, attempt: 150 * attempt,
        request_disk="100MB",
        requirements='TARGET.Microarch >= "x86_64-v2"',
        classad_Project='our "own" $(x)',
    shell:
        "touch {resources.tmpdir}/x; "
        "printf '%s\\n' \"$TOKEN\" \"$words\" {params.odd:q} {resources.mem_mb} > {output}; "
        "grep '^Project = ' $_CONDOR_JOB_AD >> {output}; [ {resources.mem_mb} = 300 ]"
