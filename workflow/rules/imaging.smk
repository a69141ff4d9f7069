"""Imaging: skull strip and crop once a volume, then normalised slices in shards."""


rule brains:
    input:
        volumes=paths.volumes("{dataset}"),
    output:
        folder=directory(paths.brains("{dataset}", "{chunk}", "")),
        index=paths.brains("{dataset}", "{chunk}", ".parquet"),
        rejects=paths.brains("{dataset}", "{chunk}", ".rejects.csv"),
        thumbnails=paths.brains("{dataset}", "{chunk}", ".thumbnails.npz"),
    log:
        paths.log("brains", "{dataset}", "{chunk}"),
    benchmark:
        paths("benchmarks/brains/{dataset}.{chunk}.tsv")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        protocol=settings(CONFIG.imaging),
        device=CONFIG.device,
        code=code("imaging/brains.py"),
    script:
        "../scripts/imaging/brains.py"


rule shard:
    input:
        volumes=paths.volumes("{dataset}"),
        folder=paths.brains("{dataset}", "{chunk}", ""),
        index=paths.brains("{dataset}", "{chunk}", ".parquet"),
        rejects=paths.brains("{dataset}", "{chunk}", ".rejects.csv"),
    output:
        shard=paths.shard("{dataset}", "{chunk}", ".npy"),
        index=paths.shard("{dataset}", "{chunk}", ".parquet"),
        rejects=paths.shard("{dataset}", "{chunk}", ".rejects.csv"),
    log:
        paths.log("shard", "{dataset}", "{chunk}"),
    benchmark:
        paths("benchmarks/shard/{dataset}.{chunk}.tsv")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda wildcards, threads: 1500 * threads,
    params:
        protocol=settings(CONFIG.imaging),
        seed=CONFIG.seed,
        code=code("imaging/shard.py"),
    script:
        "../scripts/imaging/shard.py"


rule verify:
    input:
        shards=expand_chunks(paths.shard, ".npy", PRETRAINING),
        indices=expand_chunks(paths.shard, ".parquet", PRETRAINING),
    log:
        messages=paths.log("verify"),
        # As an output, the report would be gone when a shard is damaged, and no rot would be
        # looked for while it is there.
        report=paths("shards/verify.csv"),
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=1500,
    params:
        protocol=settings(CONFIG.imaging),
    script:
        "../scripts/imaging/verify.py"
