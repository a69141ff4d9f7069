"""Full fine-tuning: the pretrained encoder trained with the head, a GPU job a task."""


rule finetune:
    input:
        split=paths.split("{task}"),
        subsets=paths.label_subset("{task}"),
        leakage=paths.audit("leakage"),
        indices=lambda w: expand_chunks(paths.brains, ".parquet", datasets_of([w.task])),
        folders=lambda w: expand_chunks(paths.brains, "", datasets_of([w.task])),
        weights=PRETRAINED["encoder"],
        made=PRETRAINED["card"],
    output:
        predictions=paths.finetune("{task}", "predictions.parquet"),
    log:
        paths.log("finetune", "{task}"),
    benchmark:
        paths("benchmarks/finetune/{task}.tsv")
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=4000,
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        finetune=settings(CONFIG.finetune),
        protocol=settings(CONFIG.probes),
        imaging=settings(CONFIG.imaging),
        reference=CONFIG.statistics.reference,
        bins=CONFIG.corpus.strata_bins,
        seed=CONFIG.seed,
        device=CONFIG.device,
        processes=CONFIG.processes,
        checkpoints=lambda w: paths.finetune(w.task, "checkpoints"),
        code=code("finetune/finetune.py"),
    script:
        "../scripts/finetune/finetune.py"


rule finetuning:
    input:
        [paths.finetune(task, "predictions.parquet") for task in FINETUNED],
