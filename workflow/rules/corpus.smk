"""Corpus: cohorts to manifests, subject-level splits, label subsets and audits."""


# One job for all: to start takes longer than to write most cohorts.
rule phantom:
    output:
        [directory(paths.phantom(d)) for d in PHANTOMS],
    log:
        paths.log("phantom"),
    conda:
        ENVIRONMENT
    threads: 2
    params:
        subjects=PHANTOMS,
        spacing=CONFIG.phantom_spacing,
        seed=CONFIG.seed,
        code=code("corpus/phantom.py"),
    script:
        "../scripts/corpus/phantom.py"


rule convert:
    input:
        folder=cohort_folder,
    output:
        folder=directory(paths.converted("{dataset}", "{chunk}")),
        series=paths.series("{dataset}", "{chunk}"),
        rejects=paths.series("{dataset}", "{chunk}", ".rejects.csv"),
    log:
        paths.log("convert", "{dataset}", "{chunk}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.datasets[w.dataset]),
        chunks=lambda w: len(conversions(w.dataset)),
        state=cohort_state,
        corpus=settings(CONFIG.corpus),
        code=code("corpus/convert.py"),
    script:
        "../scripts/corpus/convert.py"


rule manifest:
    input:
        folder=cohort_folder,
        series=lambda w: [paths.series(w.dataset, c) for c in conversions(w.dataset)],
        series_rejects=lambda w: [
            paths.series(w.dataset, c, ".rejects.csv") for c in conversions(w.dataset)
        ],
        converted=lambda w: [
            paths.converted(w.dataset, c) for c in conversions(w.dataset)
        ],
    output:
        manifest=paths.manifest("{dataset}"),
        rejects=paths.manifest_rejects("{dataset}"),
        fingerprints=paths.fingerprints("{dataset}"),
        notes=paths.manifest_notes("{dataset}"),
    log:
        paths.log("manifest", "{dataset}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.datasets[w.dataset]),
        state=cohort_state,
        skull_strip=settings(CONFIG.imaging.skull_strip),
        code=code("corpus/manifest.py"),
    script:
        "../scripts/corpus/manifest.py"


rule persons:
    input:
        manifests=[paths.manifest(d) for d in DATASETS],
        aliases=ALIASES,
    output:
        paths.persons(),
    log:
        paths.log("persons"),
    conda:
        ENVIRONMENT
    params:
        code=code("corpus/persons.py"),
    script:
        "../scripts/corpus/persons.py"


rule split:
    input:
        manifests=[paths.manifest(d) for d in DATASETS],
        persons=paths.persons(),
    output:
        splits=[paths.split(task) for task in TASKS],
        subsets=[paths.label_subset(task) for task in TASKS],
        rejects=[paths.split_rejects(task) for task in TASKS],
    log:
        paths.log("split"),
    conda:
        ENVIRONMENT
    params:
        cards={task: settings(RUN.tasks[task]) for task in TASKS},
        corpus=settings(CONFIG.corpus),
        seed=CONFIG.seed,
        code=code("corpus/split.py"),
    script:
        "../scripts/corpus/split.py"


rule volumes:
    input:
        manifests=[paths.manifest(d) for d in DATASETS],
        persons=paths.persons(),
        splits=[paths.split(task) for task in TASKS],
    output:
        [paths.volumes(d) for d in DATASETS],
    log:
        paths.log("volumes"),
    conda:
        ENVIRONMENT
    params:
        cards=[settings(RUN.datasets[d]) for d in DATASETS],
        probed=PROBED,
        modalities=CONFIG.corpus.pretraining_modalities,
        chunks=[CHUNKS[d] for d in DATASETS],
        compared=COMPARED,
        most=CONFIG.representation.cka.volumes,
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
        notes=[paths.manifest_notes(d) for d in DATASETS],
        fingerprints=[paths.fingerprints(d) for d in DATASETS],
        volumes=[paths.volumes(d) for d in DATASETS],
        splits=[paths.split(task) for task in TASKS],
        split_rejects=[paths.split_rejects(task) for task in TASKS],
    output:
        coverage=paths.audit("coverage"),
        composition=paths.audit("composition"),
        splits=paths.audit("splits"),
        duplicates=paths.audit("duplicates"),
        notes=paths.audit("notes"),
        rejects=paths.rejects(),
    log:
        paths.log("audit"),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
    params:
        expected=EXPECTED,
        slices=CONFIG.imaging.slices,
        same_content=CONFIG.corpus.same_content,
        tasks={task: settings(RUN.tasks[task]) for task in TASKS},
        code=code("corpus/audit.py"),
    script:
        "../scripts/corpus/audit.py"


# The gate: nothing trains before it has passed.
rule leakage:
    input:
        volumes=[paths.volumes(d) for d in DATASETS],
        splits=[paths.split(task) for task in TASKS],
        persons=paths.persons(),
        duplicates=paths.audit("duplicates"),
    output:
        paths.audit("leakage"),
    log:
        paths.log("leakage"),
    conda:
        ENVIRONMENT
    params:
        code=code("corpus/leakage.py"),
    script:
        "../scripts/corpus/leakage.py"


# No output: these two look at the machine as it is, whenever they are asked, and only then.
rule fetch:
    log:
        paths.log("fetch"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        records=paths("corpus/fetched"),
    script:
        "../scripts/corpus/fetch.py"


rule check:
    log:
        paths.log("check"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
    script:
        "../scripts/corpus/check.py"
