"""Robustness: test volumes perturbed before preprocessing, judged by the heads of the clean ones."""

import re

from braindino.robustness.conditions import conditions, grid

PERTURBED_BY = [e for e in CONFIG.robustness.encoders if e in ENCODERS]
PROBES_PERTURBED = [t for t in PROBED if t in CONFIG.robustness.tasks and PERTURBED_BY]
SEGMENTS_PERTURBED = [e for e in PERTURBED_BY if e in SEGMENTING]
PERTURBED = PROBES_PERTURBED + [
    task for task in SEGMENTED if task in CONFIG.robustness.tasks and SEGMENTS_PERTURBED
]
CONDITIONS = conditions(CONFIG.robustness.severities)
PERTURBED_COHORTS = datasets_of(PROBES_PERTURBED)
PERTURB_REJECTS = [
    paths.perturb_rejects(condition) for condition in CONDITIONS if PROBES_PERTURBED
]


# Stripping the perturbed heads takes most of its time, so all encoders share a job.
rule perturb:
    input:
        volumes=[paths.volumes(dataset) for dataset in PERTURBED_COHORTS],
        indices=expand_chunks(paths.brains, ".parquet", PERTURBED_COHORTS),
        folders=expand_chunks(paths.brains, "", PERTURBED_COHORTS),
        splits=[paths.split(task) for task in PROBES_PERTURBED],
        pretrained=(
            [PRETRAINED["encoder"], PRETRAINED["card"]]
            if any(map(trained, PERTURBED_BY))
            else []
        ),
    output:
        features=[
            paths.features(encoder, dataset, "{condition}")
            for dataset in PERTURBED_COHORTS
            for encoder in PERTURBED_BY
        ],
        rejects=paths.perturb_rejects("{condition}"),
    log:
        paths.log("perturb", "{condition}"),
    benchmark:
        paths("benchmarks/perturb/{condition}.tsv")
    wildcard_constraints:
        condition="|".join(map(re.escape, CONDITIONS)) or "(?!)",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
    params:
        cohorts=PERTURBED_COHORTS,
        encoders=embedding_params(PERTURBED_BY),
        shared=EMBEDDING | {"code": code("robustness/embed.py")},
        mask=CONFIG.robustness.mask,
        chunk=CONFIG.feature_chunk,
        parts=lambda w: paths.perturb_rejects(w.condition) + ".parts",
    script:
        "../scripts/robustness/embed.py"


rule predict_perturbed:
    input:
        features=lambda w: feature_files([w.encoder], [w.task]),
        perturbed=lambda w: [
            paths.features(w.encoder, dataset, condition)
            for condition in CONDITIONS
            for dataset in datasets_of([w.task])
        ],
        split=paths.split("{task}"),
        subsets=paths.label_subset("{task}"),
        predictions=paths.predictions("{task}", "{encoder}"),
    output:
        paths.robustness("{task}", "{encoder}"),
    log:
        paths.log("predict_perturbed", "{task}", "{encoder}"),
    wildcard_constraints:
        task="|".join(map(re.escape, PROBES_PERTURBED)) or "(?!)",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
    params:
        conditions=CONDITIONS,
        card=lambda w: settings(RUN.tasks[w.task]),
        protocol=settings(CONFIG.probes),
        bins=CONFIG.corpus.strata_bins,
        seed=CONFIG.seed,
        code=code("robustness/predict.py"),
    script:
        "../scripts/robustness/predict.py"


rule segment_perturbed:
    input:
        checkpoint=lambda w: checkpoints(w.task, w.encoder, [max(SEGMENT.ratios)]),
        cases=lambda w: paths.nnunet("cases", f"{NNUNET[w.task]}.parquet"),
        predictions=paths.predictions("{task}", "{encoder}"),
    output:
        paths.robustness("{task}", "{encoder}"),
    log:
        paths.log("segment_perturbed", "{task}", "{encoder}"),
    benchmark:
        paths("benchmarks/segment_perturbed/{task}.{encoder}.tsv")
    wildcard_constraints:
        task="|".join(map(re.escape, SEGMENTED)) or "(?!)",
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        mem_mb=8000,
    params:
        conditions=CONDITIONS,
        card=lambda w: settings(RUN.tasks[w.task]),
        regions=lambda w: regions_of(w.task),
        ratio=max(SEGMENT.ratios),
        folder=lambda w: paths("robustness/segmentation", w.task, w.encoder),
        protocol=settings(SEGMENT),
        seed=CONFIG.seed,
        device=CONFIG.device,
        root=paths.nnunet(),
        code=code("robustness/segment.py"),
    script:
        "../scripts/robustness/segment.py"


rule robustness:
    input:
        [paths.robustness(t, e) for t in PERTURBED for e in perturbed_encoders(t)],
