"""Figures of robustness and representation: the paper's 5 and 6, and what the report adds."""

SEEN = datasets_of(PROBES_PERTURBED[:1])[:1]  # whose first test volume stands for all
NEIGHBOURED = [task for task in PROBED if RUN.tasks[task].knn]


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


rule bars:
    input:
        metrics=paths.statistics("robustness"),
        availability=paths.audit("availability"),
    output:
        png=report(
            paths.figure("5", "png"),
            caption="../report/figure_5.rst",
            category="Figures",
        ),
        pdf=paths.figure("5", "pdf"),
        svg=paths.figure("5", "svg"),
    log:
        paths.log("figure", "5"),
    conda:
        ENVIRONMENT
    params:
        tasks=PERTURBED,
        run=CARDS,
        code=code("reporting/figure_5.py"),
    script:
        "../scripts/reporting/figure_5.py"


rule structure:
    input:
        pictures=rules.similarity.output.pictures if SHOWN else [],
        aucs=rules.similarity.output.table if SHOWN else [],
        metrics=[paths.statistics(f"{task}/metrics") for task in NEIGHBOURED],
        cka=rules.collect_cka.output if COMPARED else [],
        availability=paths.audit("availability"),
    output:
        png=report(
            paths.figure("6", "png"),
            caption="../report/figure_6.rst",
            category="Figures",
        ),
        pdf=paths.figure("6", "pdf"),
        svg=paths.figure("6", "svg"),
    log:
        paths.log("figure", "6"),
    conda:
        ENVIRONMENT
    params:
        knn=NEIGHBOURED,
        run=CARDS,
        code=code("reporting/figure_6.py"),
    script:
        "../scripts/reporting/figure_6.py"


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


rule figure_5:
    input:
        rules.bars.output if PERTURBED else [],


rule figure_6:
    input:
        rules.structure.output if STRUCTURED else [],
