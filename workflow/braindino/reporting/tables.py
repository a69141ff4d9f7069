"""Numbers of the result tables, one row an encoder, metric, stratum and ratio."""

import numpy as np
import pandas as pd

from braindino.reporting.catalogue import shown_rows
from braindino.reporting.labels import measure, stars
from braindino.statistics.comparisons import COLUMNS as TESTS

COLUMNS = [
    "task", "metric", "stratum", "ratio", "n_train", "encoder", "title", "value", "sd", "ci_low",
    "ci_high", "n", "difference", "effect_size", "test", "p", "p_holm", "best", "mark", "text",
    "pretrained_on_cohorts", "note",
]  # fmt: skip
TEST_KEYS = ["task", "ratio", "stratum", "metric", "encoder"]
OF_TEST = ["difference", "effect_size", "test", "p", "p_holm"]


def table_rows(table, cards, metrics, comparisons, subsets, labels):
    """Collect the numbers of one of the paper's tables.

    Parameters
    ----------
    table : Table
        As `catalogue` lists it.
    cards : dict of TaskCard
    metrics, comparisons : DataFrame
        Statistics of any number of tasks, in the contract's columns.
    subsets : DataFrame
        Label subsets: task, ratio, seed, subject.
    labels : Labels
        Titles of the encoders, and the demo's note.

    Returns
    -------
    DataFrame
        In the order of the table. `text` is the estimate as the paper prints it (§4.7): Dice
        and MAE ± SD, others with their 95 % interval in brackets. `mark` are the stars of p, in
        strata of the p that is adjusted by Holm's method. `pretrained_on_cohorts` are the task's
        cohorts on which the encoder's authors pretrained it.
    """
    statistics = metrics, comparisons, subsets
    parts = [_task_rows(table.kind, cards[name], *statistics, labels) for name in table.tasks]
    return pd.concat(parts, ignore_index=True)


def _task_rows(kind, card, metrics, comparisons, subsets, labels):
    name = card.knn if kind == "knn" else card.name
    own = metrics[(metrics["task"] == name) & metrics["encoder"].isin(_encoders(kind, labels))]
    if kind == "full_ft":
        tuned = own.loc[own["encoder"] == labels.full_ft, "ratio"]
        own = own[own["ratio"].isin(tuned)]
    own = own.reset_index(drop=True)
    shown = {key: place for place, key in enumerate(shown_rows(kind, card, own))}
    place = pd.Series(zip(own["metric"], own["stratum"], strict=True), own.index, object).map(shown)
    rows = own[place.notna()].assign(place=place, order=own["encoder"].map(_rank(labels)))
    rows = rows.sort_values(["place", "ratio", "order"], kind="stable")
    rows = rows.merge(_tests(comparisons), how="left", on=TEST_KEYS)
    return _described(rows, card, subsets, labels)[COLUMNS].reset_index(drop=True)


def _encoders(kind, labels):
    if kind == "full_ft":
        return [labels.reference, labels.full_ft]
    return list(labels.encoders)


def _rank(labels):
    return {name: i for i, name in enumerate([*labels.encoders, labels.full_ft])}


def _tests(comparisons):
    numbers = dict.fromkeys(["ratio", "difference", "effect_size", "p", "p_holm"], float)
    return comparisons.reindex(columns=TESTS)[[*TEST_KEYS, *OF_TEST]].astype(numbers)


def _described(rows, card, subsets, labels):
    n_train = rows["ratio"].map(training_subjects(subsets, card.name)).astype("Int64")
    rows = rows.assign(n_train=n_train, task=card.name, note=labels.demo)
    rows["title"] = rows["encoder"].map(labels.title)
    rows["best"] = _best(rows)
    rows["mark"] = _tested_p(rows).map(stars)
    rows["text"] = [_estimate(row) for row in rows.itertuples()]
    shared = {name: ", ".join(labels.shared_cohorts(name, card)) for name in set(rows["encoder"])}
    return rows.assign(pretrained_on_cohorts=rows["encoder"].map(shared))


def _tested_p(rows):
    """Return the p that sets the stars (§4.7): Holm's in strata; the log-rank test's is a value."""
    p = rows["p"].where(rows["stratum"] == "all", rows["p_holm"])
    return p.where(rows["metric"] != "logrank_p", rows["value"])


def training_subjects(subsets, task):
    """Count labelled training subjects: `{ratio: subjects}`, the median over seeds and folds."""
    own = subsets[subsets["task"] == task]
    keys = [key for key in ("ratio", "seed", "fold") if key in own]
    counts = own.groupby(keys)["subject"].nunique()
    return counts.groupby("ratio").median().round().astype(int).to_dict()


def _best(rows):
    """Mark the best of several encoders in a row of the table; equal in print is as good."""
    measures = rows["metric"].map(measure)
    printed = [round(v, m.decimals) for m, v in zip(measures, rows["value"], strict=True)]
    sign = {True: -1.0, False: 1.0, None: np.nan}
    signs = [sign[m.lower_is_better] for m in measures]
    merit = pd.Series(np.array(signs, float) * np.array(printed, float), index=rows.index)
    rivals = merit.groupby([rows["metric"], rows["stratum"], rows["ratio"]])
    return (merit == rivals.transform("max")) & (rivals.transform("size") > 1)


def _estimate(row):
    number = measure(row.metric).number
    if row.metric == "logrank_p":
        return "< 0.001" if row.value < 0.001 else number(row.value)
    if row.metric.startswith(("mae", "dice")):
        return f"{number(row.value)} ± {number(row.sd)}"
    interval = f" [{number(row.ci_low)}, {number(row.ci_high)}]"
    return number(row.value) + (interval if row.metric != "median_survival_days" else "")
