"""Corpus: cohorts to manifests, subject-level splits, label subsets and audits."""


rule phantom:
    output:
        directory(paths.phantom("{dataset}")),
    log:
        paths.log("phantom", "{dataset}"),
    conda:
        ENVIRONMENT
    params:
        subjects=lambda w: CONFIG.phantoms[w.dataset],
        spacing=CONFIG.phantom_spacing,
        seed=CONFIG.seed,
        code=code("corpus/phantom.py"),
    script:
        "../scripts/corpus/phantom.py"


rule manifest:
    input:
        folder=cohort_folder,
    output:
        manifest=paths.manifest("{dataset}"),
        rejects=paths.manifest_rejects("{dataset}"),
    log:
        paths.log("manifest", "{dataset}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.datasets[w.dataset]),
        skull_strip=settings(CONFIG.imaging.skull_strip),
        code=code("corpus/manifest.py"),
    script:
        "../scripts/corpus/manifest.py"


rule split:
    input:
        manifests=lambda w: [paths.manifest(d) for d in RUN.tasks[w.task].datasets],
    output:
        split=paths.split("{task}"),
        subsets=paths.label_subset("{task}"),
        rejects=paths.split_rejects("{task}"),
    log:
        paths.log("split", "{task}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        corpus=settings(CONFIG.corpus),
        seed=CONFIG.seed,
        code=code("corpus/split.py"),
    script:
        "../scripts/corpus/split.py"


rule volumes:
    input:
        manifest=paths.manifest("{dataset}"),
        splits=lambda w: [paths.split(task) for task in tasks_of(w.dataset)],
    output:
        paths.volumes("{dataset}"),
    log:
        paths.log("volumes", "{dataset}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.datasets[w.dataset]),
        modalities=CONFIG.corpus.pretraining_modalities,
        chunks=lambda w: len(chunks(w.dataset)),
        code=code("corpus/volumes.py"),
    script:
        "../scripts/corpus/volumes.py"


rule availability:
    output:
        paths.audit("availability"),
    log:
        paths.log("availability"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        rows=[row._asdict() for row in AVAILABILITY.values()],
        code=code("corpus/availability.py"),
    script:
        "../scripts/corpus/availability.py"


rule audit:
    input:
        manifests=[paths.manifest(d) for d in DATASETS],
        manifest_rejects=[paths.manifest_rejects(d) for d in DATASETS],
        volumes=[paths.volumes(d) for d in DATASETS],
        splits=[paths.split(task) for task in TASKS],
        split_rejects=[paths.split_rejects(task) for task in TASKS],
    output:
        coverage=paths.audit("coverage"),
        leakage=paths.audit("leakage"),
        rejects=paths.rejects(),
    log:
        paths.log("audit"),
    conda:
        ENVIRONMENT
    params:
        expected=EXPECTED,
        code=code("corpus/audit.py"),
    script:
        "../scripts/corpus/audit.py"
