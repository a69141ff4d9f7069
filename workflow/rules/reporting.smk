"""Reporting: the paper's tables and figures, published against reproduced, one HTML page."""

NUMBERS = [RUN.tasks[t].table for t in PROBED]
# One of the paper's tables may hold several tasks; each is a file of its own then.
TABLES = {n if n and NUMBERS.count(n) == 1 else t: t for n, t in zip(NUMBERS, PROBED)}
SHARED = {n: [t for t in TABLES if RUN.tasks[TABLES[t]].table == n] for n in NUMBERS}
TABLE_FILES = [
    paths.table(number, suffix) for number in TABLES for suffix in ("csv", "md", "tex")
]
FIGURES = {"1a": PRETRAINING, "3": PROBED}  # what each of them needs
FIGURE_FILES = [
    paths.figure(number, suffix)
    for number in FIGURES
    for suffix in ("png", "pdf", "svg")
    if FIGURES[number]
]


rule table:
    input:
        metrics=lambda w: paths.statistics(f"{TABLES[w.number]}/metrics"),
        comparisons=lambda w: paths.statistics(f"{TABLES[w.number]}/comparisons"),
        subsets=lambda w: paths.label_subset(TABLES[w.number]),
        availability=paths.audit("availability"),
    output:
        csv=paths.table("{number}", "csv"),
        md=report(
            paths.table("{number}", "md"),
            caption="../report/table.rst",
            category="Tables",
        ),
        tex=paths.table("{number}", "tex"),
    log:
        paths.log("table", "{number}"),
    conda:
        ENVIRONMENT
    params:
        task=lambda w: TABLES[w.number],
        run=CARDS,
        code=code("reporting/table.py"),
    script:
        "../scripts/reporting/table.py"


rule figure_1a:
    input:
        composition=paths.audit("composition"),
        coverage=paths.audit("coverage"),
        availability=paths.audit("availability"),
    output:
        png=report(
            paths.figure("1a", "png"),
            caption="../report/figure_1a.rst",
            category="Figures",
        ),
        pdf=paths.figure("1a", "pdf"),
        svg=paths.figure("1a", "svg"),
    log:
        paths.log("figure", "1a"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/figure_1.py"),
    script:
        "../scripts/reporting/figure_1.py"


rule figure:
    input:
        metrics=[paths.statistics(f"{task}/metrics") for task in PROBED],
        splits=[paths.split(task) for task in PROBED],
        availability=paths.audit("availability"),
    output:
        png=report(
            paths.figure("3", "png"),
            caption="../report/figure_3.rst",
            category="Figures",
        ),
        pdf=paths.figure("3", "pdf"),
        svg=paths.figure("3", "svg"),
    log:
        paths.log("figure", "3"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/figure_3.py"),
    script:
        "../scripts/reporting/figure_3.py"


rule quality:
    input:
        thumbnails=lambda w: expand_chunks(paths.brains, ".thumbnails.npz", [w.dataset]),
        index=lambda w: expand_chunks(paths.brains, ".parquet", [w.dataset]),
    output:
        mosaic=report(
            paths.quality("{dataset}", "mosaic.png"),
            caption="../report/mosaic.rst",
            category="Quality control",
        ),
        histograms=report(
            paths.quality("{dataset}", "histograms.png"),
            caption="../report/histograms.rst",
            category="Quality control",
        ),
        outliers=paths.quality("{dataset}", "quality.csv"),
    log:
        paths.log("quality", "{dataset}"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/quality.py"),
    script:
        "../scripts/reporting/quality.py"


rule curves:
    input:
        PRETRAINED["metrics"],
    output:
        report(
            paths.pretrain(CONFIG.recipe, "curves.png"),
            caption="../report/curves.rst",
            category="Pretraining",
        ),
    log:
        paths.log("curves", CONFIG.recipe),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/curves.py"),
    script:
        "../scripts/reporting/curves.py"


rule patch_figure:
    input:
        rules.patches.output,
    output:
        report(
            paths.pretrain(CONFIG.recipe, "patches.png"),
            caption="../report/patches.rst",
            category="Pretraining",
        ),
    log:
        paths.log("patch_figure", CONFIG.recipe),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/patches.py"),
    script:
        "../scripts/reporting/patches.py"


rule reproduction:
    input:
        published="config/paper/results.csv",
        metrics=paths.statistics("metrics"),
        comparisons=paths.statistics("comparisons"),
        availability=paths.audit("availability"),
    output:
        paths("report/reproduction.csv"),
    log:
        paths.log("reproduction"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/reproduction.py"),
    script:
        "../scripts/reporting/reproduction.py"


rule report:
    input:
        availability=paths.audit("availability"),
        coverage=paths.audit("coverage"),
        composition=paths.audit("composition"),
        splits=paths.audit("splits"),
        leakage=paths.audit("leakage"),
        duplicates=paths.audit("duplicates"),
        notes=paths.audit("notes"),
        rejects=[
            paths.rejects(),
            *expand_chunks(paths.brains, ".rejects.csv", IMAGED),
            *expand_chunks(paths.shard, ".rejects.csv", PRETRAINING),
            *[paths.probe_rejects(t, e) for t in PROBED for e in ENCODERS],
        ],
        reproduction=rules.reproduction.output,
        metrics=paths.statistics("metrics"),
        comparisons=paths.statistics("comparisons"),
        subsets=[paths.label_subset(task) for task in PROBED],
        mosaics=[paths.quality(d, "mosaic.png") for d in IMAGED],
        histograms=[paths.quality(d, "histograms.png") for d in IMAGED],
        outliers=[paths.quality(d, "quality.csv") for d in IMAGED],
        figure_1a=rules.figure_1a.output.png if PRETRAINING else [],
        figure_3=rules.figure.output.png if PROBED else [],
        curves=rules.curves.output if TRAINABLE else [],
        patches=rules.patch_figure.output if TRAINABLE else [],
        course=PRETRAINED["metrics"] if TRAINABLE else [],
        encoder=PRETRAINED["card"] if TRAINABLE else [],
        efficiency=paths("benchmarks/efficiency.csv"),
    output:
        paths("report.html"),
    log:
        paths.log("report"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/report.py"),
    script:
        "../scripts/reporting/report.py"


rule figure_3:
    input:
        rules.figure.output if PROBED else [],


for number in TABLES:

    rule:
        name:
            f"table_{number}"
        input:
            [paths.table(number, suffix) for suffix in ("csv", "md", "tex")],


for number, tasks in SHARED.items():
    if number and len(tasks) > 1:

        rule:
            name:
                f"table_{number}"
            input:
                [paths.table(t, s) for t in tasks for s in ("csv", "md", "tex")],
