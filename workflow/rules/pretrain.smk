"""Pretraining: self-distillation on the shards of the pretraining cohorts."""


rule pretrain:
    input:
        shards=expand_chunks(paths.shard, ".npy", PRETRAINING),
        indices=expand_chunks(paths.shard, ".parquet", PRETRAINING),
        leakage=paths.audit("leakage"),
    output:
        encoder=paths.pretrain(CONFIG.recipe, "encoder.safetensors"),
        card=paths.pretrain(CONFIG.recipe, "encoder.json"),
        metrics=paths.pretrain(CONFIG.recipe, "metrics.jsonl"),
    log:
        paths.log("pretrain", CONFIG.recipe),
    benchmark:
        paths(f"benchmarks/pretrain/{CONFIG.recipe}.tsv")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        mem_mb=4000,
    params:
        recipe=settings(RUN.recipe),
        device=CONFIG.device,
        seed=CONFIG.seed,
        code=code("pretrain/train.py"),
    script:
        "../scripts/pretrain/train.py"
