"""Statistics: metrics and paired comparisons of each task, then of all tasks."""


rule evaluate:
    input:
        predictions=lambda w: [
            *[paths.predictions(w.task, e) for e in ENCODERS],
            *[paths.finetune(w.task, "predictions.parquet")] * (w.task in FINETUNED),
        ],
        supplement=lambda w: [paths.supplement(w.task, e) for e in ENCODERS],
    output:
        metrics=paths.statistics("{task}/metrics"),
        comparisons=paths.statistics("{task}/comparisons"),
        curves=paths.statistics("{task}/curves"),
    log:
        paths.log("evaluate", "{task}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        protocol=settings(CONFIG.statistics),
        seed=CONFIG.seed,
        code=code("statistics/evaluate.py"),
    script:
        "../scripts/statistics/evaluate.py"


rule collect:
    input:
        metrics=[paths.statistics(f"{task}/metrics") for task in EVALUATED],
        comparisons=[paths.statistics(f"{task}/comparisons") for task in EVALUATED],
        curves=[paths.statistics(f"{task}/curves") for task in EVALUATED],
    output:
        metrics=paths.statistics("metrics"),
        comparisons=paths.statistics("comparisons"),
        curves=paths.statistics("curves"),
    log:
        paths.log("collect"),
    conda:
        ENVIRONMENT
    params:
        code=code("statistics/collect.py"),
    script:
        "../scripts/statistics/collect.py"
