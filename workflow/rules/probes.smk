"""Probes: all label ratios, seeds and folds of one task and encoder in one job."""


rule probe:
    input:
        features=lambda w: feature_files([w.encoder], [w.task]),
        planes=lambda w: plane_files(w.encoder, w.task),
        split=paths.split("{task}"),
        subsets=paths.label_subset("{task}"),
        leakage=paths.audit("leakage"),
    output:
        predictions=paths.predictions("{task}", "{encoder}"),
        supplement=paths.supplement("{task}", "{encoder}"),
        rejects=paths.probe_rejects("{task}", "{encoder}"),
    log:
        paths.log("probe", "{task}", "{encoder}"),
    benchmark:
        paths("benchmarks/probe/{task}.{encoder}.tsv")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        protocol=settings(CONFIG.probes),
        bins=CONFIG.corpus.strata_bins,
        seed=CONFIG.seed,
        code=code("probes/probe.py"),
    script:
        "../scripts/probes/probe.py"
