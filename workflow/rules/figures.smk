"""Figures that the report adds to the paper's: every severity, and a map of all volumes."""

SEEN = datasets_of(PROBES_PERTURBED[:1])[:1]  # whose first test volume stands for all


rule severity_pictures:
    input:
        volumes=[paths.volumes(dataset) for dataset in SEEN],
        indices=expand_chunks(paths.brains, ".parquet", SEEN),
        folders=expand_chunks(paths.brains, "", SEEN),
        split=[paths.split(task) for task in PROBES_PERTURBED[:1]],
    output:
        paths.perturbed_slices("npz"),
    log:
        paths.log("severity_pictures"),
    conda:
        ENVIRONMENT
    params:
        grid=grid(CONFIG.robustness.severities),
        imaging=settings(CONFIG.imaging),
        seed=CONFIG.seed,
        code=code("robustness/pictures.py"),
    script:
        "../scripts/robustness/pictures.py"


rule severity_figure:
    input:
        rules.severity_pictures.output,
    output:
        report(
            paths.perturbed_slices("png"),
            caption="../report/perturbations.rst",
            category="Robustness",
        ),
    log:
        paths.log("severity_figure"),
    conda:
        ENVIRONMENT
    params:
        phantom=any(dataset in PHANTOMS for dataset in SEEN),
        code=code("reporting/perturbations.py"),
    script:
        "../scripts/reporting/perturbations.py"


rule map_figure:
    input:
        places=rules.subject_map.output.places,
        availability=paths.audit("availability"),
    output:
        report(
            paths.representation("map.png"),
            caption="../report/map.rst",
            category="Representation",
        ),
    log:
        paths.log("map_figure"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/subject_map.py"),
    script:
        "../scripts/reporting/subject_map.py"
