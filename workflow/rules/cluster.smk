"""Cluster: what a run asks of one, and what its jobs took."""


rule efficiency:
    input:
        paths.statistics("metrics"),
    output:
        paths("benchmarks/efficiency.csv"),
    log:
        paths.log("efficiency"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=lambda w, output: str(Path(output[0]).parent),
        code=code("cluster/efficiency.py"),
    script:
        "../scripts/cluster/efficiency.py"


# No output: prints what the run's recipes cost on the machine of `plan`, and what it asks of SLURM.
rule plan:
    log:
        paths.log("plan"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        profile=str(BASE / "profiles/slurm"),
        local=lambda w: [
            r.name for r in workflow.rules if r.norun or r.name in workflow._localrules
        ],
    script:
        "../scripts/cluster/plan.py"
