"""Representation: what frozen features look like, and how alike those of encoders are."""

SHOWN_IN = CONFIG.representation.similarity.cohort
SHOWN = [SHOWN_IN] if SHOWN_IN in IMAGED and ENCODERS else []
NEIGHBOURED = [task for task in PROBED if RUN.tasks[task].knn]
STRUCTURED = [*SHOWN, *COMPARED, *NEIGHBOURED]
MAPPED = datasets_of(PROBED) if CONFIG.statistics.reference in ENCODERS else []


rule cka:
    input:
        manifest=paths.manifest("{dataset}"),
        features=[paths.features(encoder, "{dataset}") for encoder in ENCODERS],
    output:
        paths.representation("cka/{dataset}.parquet"),
    log:
        paths.log("cka", "{dataset}"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        encoders=ENCODERS,
        reference=CONFIG.statistics.reference,
        modalities=lambda w: COMPARED[w.dataset],
        volumes=CONFIG.representation.cka.volumes,
        bootstrap=CONFIG.representation.cka.bootstrap,
        seed=CONFIG.seed,
        code=code("representation/cka.py"),
    script:
        "../scripts/representation/cka.py"


rule collect_cka:
    input:
        [paths.representation(f"cka/{dataset}.parquet") for dataset in COMPARED],
    output:
        paths.statistics("cka"),
    log:
        paths.log("collect_cka"),
    conda:
        ENVIRONMENT
    params:
        code=code("representation/collect_cka.py"),
    script:
        "../scripts/representation/collect_cka.py"


rule similarity:
    input:
        manifest=paths.manifest(SHOWN_IN),
        indices=expand_chunks(paths.brains, ".parquet", SHOWN),
        folders=expand_chunks(paths.brains, "", SHOWN),
        pretrained=(
            [PRETRAINED["encoder"], PRETRAINED["card"]]
            if any(map(trained, ENCODERS))
            else []
        ),
    output:
        pictures=paths.representation("similarity.npz"),
        table=paths.statistics("similarity"),
    log:
        paths.log("similarity"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        protocol=settings(CONFIG.representation.similarity),
        encoders=embedding_params(ENCODERS),
        shared=EMBEDDING | {"code": code("representation/similarity.py")},
    script:
        "../scripts/representation/similarity.py"


rule subject_map:
    input:
        manifests=[paths.manifest(dataset) for dataset in MAPPED],
        features=[paths.features(e, d) for e in ENCODERS for d in MAPPED],
    output:
        places=paths.representation("map.parquet"),
        leakage=paths.statistics("site_leakage"),
    log:
        paths.log("subject_map"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        encoders=ENCODERS,
        reference=CONFIG.statistics.reference,
        least=CONFIG.representation.leakage_subjects,
        seed=CONFIG.seed,
        code=code("representation/subject_map.py"),
    script:
        "../scripts/representation/subject_map.py"
