"""Reporting: the paper's tables and figures, published against reproduced, one HTML page."""

from braindino.reporting.catalogue import catalogue

TABLES = catalogue({t: RUN.tasks[t] for t in EVALUATED}, FINETUNED, PERTURBED)
LABELLED = [d for d in DATASETS if RUN.datasets[d].regions]
DATA_TABLES = ["s2", *(["s5"] if LABELLED else [])]
PRINTED = ("csv", "md", "tex")
TABLE_FILES = expand(
    paths.table("{number}", "{suffix}"), number=[*DATA_TABLES, *TABLES], suffix=PRINTED
)
OUTLIVED = [name for name in EVALUATED if RUN.tasks[name].kind == "survival"]
# What each of the paper's figures is drawn from, where this run has it.
FIGURES = {
    "1a": PRETRAINING and {n: paths.audit(n) for n in ("composition", "coverage")},
    "1b": TRAINABLE and {"cards": []},
    "1c": EVALUATED and {"metrics": of_each(EVALUATED, "metrics")},
    "2": DRAWN
    and {
        "cases": [paths.nnunet("cases", f"{NNUNET[t]}.parquet") for t in DRAWN],
        "predictions": [paths.predictions(t, e) for t in DRAWN for e in SEGMENTING],
    },
    "3": EVALUATED
    and {
        "metrics": of_each(EVALUATED, "metrics"),
        "comparisons": of_each(EVALUATED, "comparisons"),
        "splits": [paths.split(task) for task in EVALUATED],
    },
    "4": OUTLIVED
    and {n: paths.statistics(f"{OUTLIVED[0]}/{n}") for n in ("curves", "metrics")},
    "5": PERTURBED and {"metrics": paths.statistics("robustness")},
    "6": STRUCTURED
    and {
        "pictures": [rules.similarity.output.pictures] if SHOWN else [],
        "aucs": [rules.similarity.output.table] if SHOWN else [],
        "metrics": of_each(NEIGHBOURED, "metrics"),
        "comparisons": of_each(NEIGHBOURED, "comparisons"),
        "cka": [*rules.collect_cka.output] if COMPARED else [],
    },
}
FIGURES = {number: drawn_from for number, drawn_from in FIGURES.items() if drawn_from}
FIGURE_FILES = [
    paths.figure(number, suffix)
    for number in FIGURES
    for suffix in ("png", "pdf", "svg")
]


rule table:
    input:
        metrics=lambda w: of_table(TABLES[w.number], "metrics"),
        comparisons=lambda w: of_table(TABLES[w.number], "comparisons"),
        subsets=lambda w: [paths.label_subset(t) for t in TABLES[w.number].tasks],
        availability=paths.audit("availability"),
    output:
        csv=paths.table("{number}", "csv"),
        md=report(
            paths.table("{number}", "md"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{number}"},
        ),
        tex=paths.table("{number}", "tex"),
    log:
        paths.log("table", "{number}"),
    wildcard_constraints:
        number="|".join(TABLES) or "none",
    conda:
        ENVIRONMENT
    params:
        table=lambda w: tuple(TABLES[w.number]),
        run=CARDS,
        code=code("reporting/table.py"),
    script:
        "../scripts/reporting/table.py"


rule data_table:
    input:
        coverage=paths.audit("coverage"),
        splits=paths.audit("splits"),
        availability=paths.audit("availability"),
    output:
        csv=paths.table("{number}", "csv"),
        md=report(
            paths.table("{number}", "md"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{number}"},
        ),
        tex=paths.table("{number}", "tex"),
    log:
        paths.log("table", "{number}"),
    wildcard_constraints:
        number="|".join(DATA_TABLES),
    conda:
        ENVIRONMENT
    params:
        number=lambda w: w.number,
        cohorts=LABELLED,
        run=CARDS,
        code=code("reporting/data_table.py"),
    script:
        "../scripts/reporting/data_table.py"


for number in FIGURES:

    rule:
        name:
            f"figure_{number}"
        input:
            **FIGURES[number],
            availability=paths.audit("availability"),
        output:
            png=report(
                paths.figure(number, "png"),
                caption=f"../report/figure_{number}.rst",
                category="Figures",
                labels={"figure": number},
            ),
            pdf=paths.figure(number, "pdf"),
            svg=paths.figure(number, "svg"),
        log:
            paths.log("figure", number),
        conda:
            ENVIRONMENT
        params:
            number=number,
            run=CARDS,
            code=code(f"reporting/figure_{number}.py"),
        script:
            "../scripts/reporting/figure_{params.number}.py"


rule figure_1:
    input:
        [f for f in FIGURE_FILES if "figure_1" in f],


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


COURSE = ["curves", "patches"] if TRAINABLE else []


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
        claims="config/paper/claims.csv",
        metrics=[paths.statistics("metrics")],
        comparisons=[paths.statistics("comparisons")],
        robustness=planned("robustness"),
        robustness_comparisons=planned("robustness_comparisons"),
        cka=planned("cka"),
        availability=paths.audit("availability"),
    output:
        rows=paths("report/reproduction.csv"),
        claims=paths("report/claims.csv"),
        summary=paths("report/summary.csv"),
        png=report(
            paths.figure("reproduction", "png"),
            caption="../report/reproduction.rst",
            category="Published and reproduced",
        ),
        pdf=paths.figure("reproduction", "pdf"),
        svg=paths.figure("reproduction", "svg"),
    log:
        paths.log("reproduction"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/reproduction.py"),
    script:
        "../scripts/reporting/reproduction.py"


AUDITS = [
    *("availability", "coverage", "composition", "splits", "leakage", "duplicates"),
    "notes",
]
STATISTICS = [paths.statistics(name) for name in ("metrics", "comparisons")]
VERDICTS = [
    rules.reproduction.output.rows,
    rules.reproduction.output.claims,
    rules.reproduction.output.summary,
]


rule report:
    input:
        audits=[paths.audit(name) for name in AUDITS],
        tables=[*STATISTICS, *VERDICTS],
        robustness=planned("robustness"),
        robustness_comparisons=planned("robustness_comparisons"),
        rejects=[
            paths.rejects(),
            *expand_chunks(paths.brains, ".rejects.csv", IMAGED),
            *expand_chunks(paths.shard, ".rejects.csv", PRETRAINING),
            *[paths.probe_rejects(t, e) for t in PROBED for e in ENCODERS],
            *PERTURB_REJECTS,
            *[paths.nnunet("cases", f"{NNUNET[t]}.rejects.csv") for t in SEGMENTED],
        ],
        subsets=[paths.label_subset(task) for task in EVALUATED],
        mosaics=[paths.quality(d, "mosaic.png") for d in IMAGED],
        histograms=[paths.quality(d, "histograms.png") for d in IMAGED],
        outliers=[paths.quality(d, "quality.csv") for d in IMAGED],
        figures=[
            rules.reproduction.output.png,
            *[paths.figure(number, "png") for number in FIGURES],
            *[paths.pretrain(CONFIG.recipe, f"{n}.png") for n in COURSE],
            *([paths.perturbed_slices("png")] if PROBES_PERTURBED else []),
            *([paths.representation("map.png")] if MAPPED else []),
        ],
        findings=[
            *(rules.collect_cka.output if COMPARED else []),
            *([rules.similarity.output.table] if SHOWN else []),
            *([rules.subject_map.output.leakage] if MAPPED else []),
        ],
        course=[PRETRAINED["metrics"]] if TRAINABLE else [],
        encoder=[PRETRAINED["card"]] if TRAINABLE else [],
        efficiency=paths("benchmarks/efficiency.csv"),
    output:
        paths("report.html"),
    log:
        paths.log("report"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        tables=[tuple(table) for table in TABLES.values()],
        code=code("reporting/report.py"),
    script:
        "../scripts/reporting/report.py"


rule results_json:
    input:
        [paths.audit(n) for n in AUDITS if n not in ("duplicates", "notes")],
        STATISTICS,
        VERDICTS,
        planned("robustness"),
        planned("cka"),
    output:
        paths("report/results.json"),
    log:
        paths.log("results_json"),
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        code=code("reporting/results_json.py"),
    script:
        "../scripts/reporting/results_json.py"


for number in [*DATA_TABLES, *TABLES]:

    rule:
        name:
            f"table_{number}"
        input:
            [paths.table(number, suffix) for suffix in PRINTED],
