"""Numbers of the result tables, one row an encoder, ratio and metric."""

import numpy as np
import pandas as pd

from braindino.reporting.labels import measure, stars

COLUMNS = [
    "task", "metric", "ratio", "n_train", "encoder", "title", "value", "sd", "ci_low", "ci_high",
    "n", "difference", "p", "p_holm", "best", "mark", "text", "pretrained_on_cohorts", "note",
]  # fmt: skip
TEST_KEYS = ["task", "ratio", "stratum", "metric", "encoder"]


def table_metrics(card):
    """Metrics that a task's table shows: AUC and accuracy, or the MAE."""
    return ["macro_auc", "accuracy"] if card.kind == "classification" else [card.metric]


def result_rows(card, metrics, comparisons, subsets, labels):
    """Collect the numbers of a task's table.

    Parameters
    ----------
    card : TaskCard
        The task.
    metrics, comparisons : DataFrame
        Statistics of any number of tasks, in the contract's columns.
    subsets : DataFrame
        Label subsets: task, ratio, seed, subject.
    labels : Labels
        Titles of the encoders, and the demo's note.

    Returns
    -------
    DataFrame
        One row a metric, ratio and encoder, in the order of the table. `text` is the estimate
        as the paper prints it (§4.7): MAE ± SD, AUC with its 95 % interval in brackets.
        `pretrained_on_cohorts` are the task's cohorts on which the encoder's authors pretrained it.
    """
    shown = metrics["metric"].isin(table_metrics(card)) & (metrics["stratum"] == "all")
    rows = metrics[shown & (metrics["task"] == card.name)]
    numbers = dict.fromkeys(["ratio", "difference", "p", "p_holm"], float)  # if empty, too
    tests = comparisons[[*TEST_KEYS, "difference", "p", "p_holm"]].astype(numbers)
    rows = rows.merge(tests, how="left", on=TEST_KEYS)
    rows["n_train"] = rows["ratio"].map(training_subjects(subsets, card.name)).astype("Int64")
    rows["title"] = rows["encoder"].map(lambda name: labels.encoders.get(name, name))
    rows["best"] = _best(rows)
    rows["mark"] = rows["p"].map(stars)
    rows["text"] = [_estimate(row) for row in rows.itertuples()]
    shared = {name: ", ".join(labels.shared_cohorts(name, card)) for name in set(rows["encoder"])}
    rows["pretrained_on_cohorts"] = rows["encoder"].map(shared)
    rows["note"] = labels.demo
    return _ordered(rows, card, labels)[COLUMNS].reset_index(drop=True)


def training_subjects(subsets, task):
    """Count labelled training subjects: `{ratio: subjects}`, the median over seeds and folds."""
    own = subsets[subsets["task"] == task]
    keys = [key for key in ("ratio", "seed", "fold") if key in own]
    counts = own.groupby(keys)["subject"].nunique()
    return counts.groupby("ratio").median().round().astype(int).to_dict()


def _best(rows):
    """Mark the best of several encoders of a metric and ratio; equal in print is as good."""
    lower = np.array([measure(metric).lower_is_better for metric in rows["metric"]], bool)
    printed = [
        round(v, measure(m).decimals) for m, v in zip(rows["metric"], rows["value"], strict=True)
    ]
    merit = pd.Series(np.where(lower, -1, 1) * np.array(printed, float), index=rows.index)
    rivals = merit.groupby([rows["metric"], rows["ratio"]])
    return (merit == rivals.transform("max")) & (rivals.transform("size") > 1)


def _estimate(row):
    number = measure(row.metric).number
    if row.metric.startswith("mae"):
        return f"{number(row.value)} ± {number(row.sd)}"
    return f"{number(row.value)} [{number(row.ci_low)}, {number(row.ci_high)}]"


def _ordered(rows, card, labels):
    rank = {
        "metric": {name: i for i, name in enumerate(table_metrics(card))},
        "encoder": {name: i for i, name in enumerate(labels.encoders)},
    }
    return rows.sort_values(
        ["metric", "ratio", "encoder"],
        key=lambda column: column.map(rank[column.name]) if column.name in rank else column,
        kind="stable",
    )
