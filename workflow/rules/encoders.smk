"""Encoders: one frozen pass per (encoder, condition, volume), cached for every task and head."""

import re

EMBEDDING = {
    "features": settings(CONFIG.features),
    "imaging": settings(CONFIG.imaging),
    "device": CONFIG.device,
    "batch": CONFIG.feature_batch,
    "seed": CONFIG.seed,
    "code": code("encoders/embed.py"),
}


rule embed:
    input:
        volumes=paths.volumes("{dataset}"),
        indices=lambda w: expand_chunks(paths.brains, ".parquet", [w.dataset]),
        folders=lambda w: expand_chunks(paths.brains, "", [w.dataset]),
        pretrained=lambda w: (
            [PRETRAINED["encoder"], PRETRAINED["card"]] if trained(w.encoder) else []
        ),
    output:
        paths.features("{encoder}", "{dataset}"),
    log:
        paths.log("embed", "{encoder}", "{dataset}"),
    benchmark:
        paths("benchmarks/embed/{encoder}.{dataset}.tsv")
    wildcard_constraints:
        encoder="|".join(map(re.escape, WEIGHTED)) or "(?!)",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        encoders=lambda w: embedding_params([w.encoder]),
        shared=EMBEDDING,
        chunk=CONFIG.feature_chunk,
    script:
        "../scripts/encoders/embed.py"


# Slices of another plane, as a condition of the 2-D encoders.
use rule embed as embed_plane with:
    output:
        paths.features("{encoder}", "{dataset}", "{plane}"),
    log:
        paths.log("embed_plane", "{plane}", "{encoder}", "{dataset}"),
    benchmark:
        paths("benchmarks/embed_plane/{plane}.{encoder}.{dataset}.tsv")
    wildcard_constraints:
        encoder="|".join(map(re.escape, ENCODERS)) or "(?!)",
        plane="coronal|sagittal",


rule patches:
    input:
        weights=PRETRAINED["encoder"],
        card=PRETRAINED["card"],
        shards=rules.train.input.shards,
        indices=rules.train.input.indices,
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


if UNWEIGHTED:

    rule embed_untrained:
        # Encoders without a file of weights (controls, and most of the demo's) share a job.
        input:
            volumes=paths.volumes("{dataset}"),
            indices=lambda w: expand_chunks(paths.brains, ".parquet", [w.dataset]),
            folders=lambda w: expand_chunks(paths.brains, "", [w.dataset]),
        output:
            [paths.features(encoder, "{dataset}") for encoder in UNWEIGHTED],
        log:
            paths.log("embed_untrained", "{dataset}"),
        benchmark:
            paths("benchmarks/embed_untrained/{dataset}.tsv")
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=4000,
        params:
            encoders=embedding_params(UNWEIGHTED),
            shared=EMBEDDING,
            chunk=CONFIG.feature_chunk,
        script:
            "../scripts/encoders/embed.py"
