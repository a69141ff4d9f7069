"""Encoders: one frozen pass per (encoder, cohort), cached for every task and head."""


rule embed:
    input:
        volumes=paths.volumes("{dataset}"),
        indices=lambda w: expand_chunks(paths.brains, ".parquet", [w.dataset]),
        folders=lambda w: expand_chunks(paths.brains, "", [w.dataset]),
        weights=lambda w: (
            [PRETRAINED["encoder"], PRETRAINED["card"]] if trained(w.encoder) else []
        ),
    output:
        paths.features("{encoder}", "{dataset}"),
    log:
        paths.log("embed", "{encoder}", "{dataset}"),
    benchmark:
        paths("benchmarks/embed/{encoder}.{dataset}.tsv")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2500,
    params:
        card=lambda w: settings(RUN.encoders[w.encoder]),
        published=lambda w: weights_file(CONFIG, RUN.encoders[w.encoder].weights),
        protocol=settings(CONFIG.imaging),
        device=CONFIG.device,
        batch=CONFIG.feature_batch,
        seed=CONFIG.seed,
        code=code("encoders/embed.py"),
    script:
        "../scripts/encoders/embed.py"


rule patches:
    input:
        weights=PRETRAINED["encoder"],
        card=PRETRAINED["card"],
        shards=rules.pretrain.input.shards,
        indices=rules.pretrain.input.indices,
    output:
        paths.pretrain(CONFIG.recipe, "patches.npz"),
    log:
        paths.log("patches", CONFIG.recipe),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        recipe=settings(RUN.recipe),
        seed=CONFIG.seed,
        code=code("encoders/patches.py"),
    script:
        "../scripts/encoders/patches.py"
