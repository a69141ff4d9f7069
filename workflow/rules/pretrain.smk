"""Pretraining: self-distillation on the shards of the pretraining cohorts."""


rule train:
    input:
        shards=expand_chunks(paths.shard, ".npy", PRETRAINING),
        indices=expand_chunks(paths.shard, ".parquet", PRETRAINING),
        leakage=paths.audit("leakage"),
        init=starting_weights,
    output:
        encoder=paths.pretrain("{recipe}", "encoder.safetensors"),
        card=paths.pretrain("{recipe}", "encoder.json"),
        checkpoint=paths.pretrain("{recipe}", "teacher_checkpoint.pth"),
        metrics=paths.pretrain("{recipe}", "metrics.jsonl"),
    log:
        paths.log("pretrain", "{recipe}"),
    benchmark:
        paths("benchmarks/pretrain/{recipe}.tsv")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        mem_mb=4000,
    params:
        recipe=lambda w: settings(RECIPES[w.recipe]),
        device=CONFIG.device,
        processes=CONFIG.processes,
        seed=CONFIG.seed,
        code=code("pretrain/train.py"),
    script:
        "../scripts/pretrain/train.py"


rule pretrain:
    input:
        PRETRAINED.values(),


rule hub:
    input:
        encoder=PRETRAINED["encoder"],
        card=PRETRAINED["card"],
    output:
        paths.hub(CONFIG.recipe),
    log:
        paths.log("hub", CONFIG.recipe),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        phantoms=[name for name in PRETRAINING if name in PHANTOMS],
        code=code("pretrain/hub.py"),
    script:
        "../scripts/pretrain/hub.py"
