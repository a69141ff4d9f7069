"""Segmentation: encoders inside nnU-Net, a network a (cohort, encoder, label ratio)."""

from braindino.segmentation.names import dataset_name, model_name

SEGMENT = CONFIG.segmentation
SEGMENTED = [name for name in EVALUATED if RUN.tasks[name].evaluation == "nnunet"]
SEGMENTING = [
    name
    for name in ENCODERS
    if RUN.encoders[name].segmentation and name in (SEGMENT.encoders or ENCODERS)
]
NNUNET = {name: dataset_name(RUN.tasks[name]) for name in SEGMENTED}
COHORT = {data: name for name, data in NNUNET.items()}
RATIOS = {f"{round(100 * ratio):03d}": ratio for ratio in SEGMENT.ratios}


ruleorder: segment > probe
ruleorder: segment_tuned > finetune
ruleorder: evaluate_segmentation > evaluate


rule nnunet_dataset:
    input:
        split=lambda w: paths.split(COHORT[w.data]),
        subsets=lambda w: paths.label_subset(COHORT[w.data]),
        manifests=lambda w: [paths.manifest(d) for d in datasets_of([COHORT[w.data]])],
        leakage=paths.audit("leakage"),
    output:
        raw=directory(paths.nnunet("raw", "{data}")),
        split=paths.nnunet("preprocessed", "{data}", "splits_final.json"),
        subsets=paths.nnunet("preprocessed", "{data}", "label_subsets.json"),
        cases=paths.nnunet("cases", "{data}.parquet"),
        rejects=paths.nnunet("cases", "{data}.rejects.csv"),
    log:
        paths.log("nnunet_dataset", "{data}"),
    benchmark:
        paths("benchmarks/nnunet_dataset/{data}.tsv")
    wildcard_constraints:
        data="|".join(COHORT) or "(?!)",
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        mem_mb=lambda wildcards, threads: 2000 * threads,
    params:
        card=lambda w: settings(RUN.tasks[COHORT[w.data]]),
        regions=lambda w: regions_of(COHORT[w.data]),
        ratios=CONFIG.corpus.label_ratios,
        max_reject_fraction=CONFIG.imaging.max_reject_fraction,
        root=lambda w: paths.nnunet(),
        code=code("segmentation/dataset.py"),
    script:
        "../scripts/segmentation/dataset.py"


rule train_segmentation:
    input:
        split=paths.nnunet("preprocessed", "{data}", "splits_final.json"),
        subsets=paths.nnunet("preprocessed", "{data}", "label_subsets.json"),
        cases=paths.nnunet("cases", "{data}.parquet"),
        pretrained=lambda w: (
            [PRETRAINED["encoder"], PRETRAINED["card"]]
            if trained(bare(w.encoder))
            else []
        ),
    output:
        checkpoint=paths.nnunet(
            "results/{data}/BrainDINOTrainer__{encoder}_{percent}__{configuration}",
            "fold_0/checkpoint_final.pth",
        ),
        progress=report(
            paths.nnunet(
                "results/{data}/BrainDINOTrainer__{encoder}_{percent}__{configuration}",
                "fold_0/progress.png",
            ),
            caption="../report/progress.rst",
            category="Segmentation",
            labels={
                "cohort": "{data}",
                "encoder": "{encoder}",
                "labels (%)": "{percent}",
            },
        ),
    log:
        paths.log(
            "train_segmentation", "{data}", "{encoder}", "{percent}.{configuration}"
        ),
    benchmark:
        paths("benchmarks/segmentation/{data}.{encoder}_{percent}.{configuration}.tsv")
    wildcard_constraints:
        data="|".join(COHORT) or "(?!)",
        percent=r"\d{3}",
        configuration="2d|3d_fullres",
    conda:
        ENVIRONMENT
    threads: 12
    resources:
        mem_mb=8000,
    params:
        encoder=lambda w: settings(RUN.encoders[bare(w.encoder)]),
        weights=lambda w: published(RUN.encoders[bare(w.encoder)]),
        network=lambda w: class_fingerprint(
            RUN.encoders[bare(w.encoder)].architecture, BASE
        ),
        ratio=lambda w: RATIOS[w.percent],
        frozen=lambda w: w.encoder == bare(w.encoder),
        protocol=settings(SEGMENT),
        seed=CONFIG.seed,
        device=CONFIG.device,
        root=lambda w: paths.nnunet(),
        code=code("segmentation/train.py"),
    script:
        "../scripts/segmentation/train.py"


rule segment:
    input:
        checkpoints=lambda w: checkpoints(w.task, w.encoder, SEGMENT.ratios),
        raw=lambda w: paths.nnunet("raw", NNUNET[w.task]),
        cases=lambda w: paths.nnunet("cases", f"{NNUNET[w.task]}.parquet"),
    output:
        paths.predictions("{task}", "{encoder}"),
    log:
        paths.log("segment", "{task}", "{encoder}"),
    benchmark:
        paths("benchmarks/segment/{task}.{encoder}.tsv")
    wildcard_constraints:
        task="|".join(SEGMENTED) or "(?!)",
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        mem_mb=8000,
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        regions=lambda w: regions_of(w.task),
        encoder=lambda w: w.encoder,
        folder=lambda w: paths.segmentation(w.task, w.encoder),
        ratios=SEGMENT.ratios,
        protocol=settings(SEGMENT),
        device=CONFIG.device,
        root=lambda w: paths.nnunet(),
        code=code("segmentation/segment.py"),
    script:
        "../scripts/segmentation/segment.py"


use rule segment as segment_tuned with:
    input:
        checkpoints=lambda w: checkpoints(
            w.task, CONFIG.statistics.reference, CONFIG.finetune.ratios, SUFFIX
        ),
        raw=lambda w: paths.nnunet("raw", NNUNET[w.task]),
        cases=lambda w: paths.nnunet("cases", f"{NNUNET[w.task]}.parquet"),
    output:
        paths.finetune("{task}", "predictions.parquet"),
    log:
        paths.log("segment_tuned", "{task}"),
    benchmark:
        paths("benchmarks/segment_tuned/{task}.tsv")
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        regions=lambda w: regions_of(w.task),
        encoder=CONFIG.statistics.reference + SUFFIX,
        folder=lambda w: paths.segmentation(
            w.task, CONFIG.statistics.reference + SUFFIX
        ),
        ratios=CONFIG.finetune.ratios,
        protocol=settings(SEGMENT),
        device=CONFIG.device,
        root=lambda w: paths.nnunet(),
        code=code("segmentation/segment.py"),


rule evaluate_segmentation:
    input:
        predictions=lambda w: [
            *[paths.predictions(w.task, e) for e in SEGMENTING],
            *[paths.finetune(w.task, "predictions.parquet")] * (w.task in FINETUNED),
        ],
    output:
        metrics=paths.statistics("{task}/metrics"),
        comparisons=paths.statistics("{task}/comparisons"),
        curves=paths.statistics("{task}/curves"),
    log:
        paths.log("evaluate", "{task}"),
    wildcard_constraints:
        task="|".join(SEGMENTED) or "(?!)",
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        protocol=settings(CONFIG.statistics),
        seed=CONFIG.seed,
        code=code("statistics/evaluate_segmentation.py"),
    script:
        "../scripts/statistics/evaluate_segmentation.py"


rule segmentation:
    input:
        [paths.predictions(task, e) for task in SEGMENTED for e in SEGMENTING],


# Cohorts of Figure 2: the paper shows two.
DRAWN = SEGMENTED[:2] if CONFIG.statistics.reference in SEGMENTING else []
