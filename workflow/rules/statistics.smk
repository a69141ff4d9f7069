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


rule evaluate_perturbed:
    input:
        lambda w: [paths.robustness(w.task, e) for e in perturbed_encoders(w.task)],
    output:
        metrics=paths.statistics("{task}/robustness"),
        comparisons=paths.statistics("{task}/robustness_comparisons"),
    log:
        paths.log("evaluate_perturbed", "{task}"),
    conda:
        ENVIRONMENT
    params:
        card=lambda w: settings(RUN.tasks[w.task]),
        protocol=settings(CONFIG.statistics),
        grid=grid(CONFIG.robustness.severities),
        seed=CONFIG.seed,
        code=code("statistics/robustness.py"),
    script:
        "../scripts/statistics/robustness.py"


rule collect_perturbed:
    input:
        metrics=[paths.statistics(f"{task}/robustness") for task in PERTURBED],
        comparisons=[
            paths.statistics(f"{task}/robustness_comparisons") for task in PERTURBED
        ],
    output:
        metrics=paths.statistics("robustness"),
        comparisons=paths.statistics("robustness_comparisons"),
    log:
        paths.log("collect_perturbed"),
    conda:
        ENVIRONMENT
    params:
        code=code("statistics/collect_robustness.py"),
    script:
        "../scripts/statistics/collect_robustness.py"
