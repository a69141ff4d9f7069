"""Pretraining: self-distillation on the shards of the pretraining cohorts."""


rule pretrain:
    input:
        shards=expand_chunks(paths.shard, ".npy", PRETRAINING),
        indices=expand_chunks(paths.shard, ".parquet", PRETRAINING),
        leakage=paths.audit("leakage"),
    output:
        encoder=paths.pretrain(CONFIG.recipe, "encoder.safetensors"),
        card=paths.pretrain(CONFIG.recipe, "encoder.json"),
        checkpoint=paths.pretrain(CONFIG.recipe, "teacher_checkpoint.pth"),
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
        init=weights_file(CONFIG, RUN.recipe.model.init),
        device=CONFIG.device,
        seed=CONFIG.seed,
        code=code("pretrain/train.py"),
    script:
        "../scripts/pretrain/train.py"


rule hub:
    input:
        encoder=rules.pretrain.output.encoder,
        card=rules.pretrain.output.card,
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


# No output: prints what the run's recipe costs on the machine of `plan`.
rule plan:
    log:
        paths.log("plan"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
    script:
        "../scripts/pretrain/plan.py"
