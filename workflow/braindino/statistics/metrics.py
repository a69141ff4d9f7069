"""Metrics of every encoder and label ratio, with their uncertainty (paper §4.7)."""

import numpy as np
import pandas as pd

from braindino.statistics.bootstrap import bootstrap, percentile_interval, score_seeds
from braindino.statistics.folds import fold_rows, unless_by_splits
from braindino.statistics.gap import gap_rows
from braindino.statistics.outcomes import align
from braindino.statistics.scores import scorers
from braindino.statistics.strata import age_strata
from braindino.statistics.survival import survival_rows

COLUMNS = [
    "task", "encoder", "ratio", "stratum", "metric", "value", "sd", "ci_low", "ci_high",
    "n", "n_volumes", "sd_seeds", "sd_subjects", "resamples",
]  # fmt: skip


def metrics(predictions, card, protocol, seed=0):
    """Score a task's predictions.

    Parameters
    ----------
    predictions : DataFrame
        Rows of any number of encoders of one task, in the contract's columns.
    card : TaskCard
        The task; its primary metric comes first.
    protocol : Statistics
        Resamples and level.
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        One row an encoder, ratio and metric. `value` is the mean over label seeds; `sd` and
        the interval are of its bootstrap over test subjects. `sd` is assumed to be what the
        paper calls SD: its 0.75 to 1.02 years beside errors of up to 20 (§2.3) are too narrow
        for the spread of single errors. That spread is `sd_subjects` (of MAE and of what scores
        cases), and `sd_seeds` that of the label seeds. `n` counts subjects, `resamples` those in
        which every class occurs. Of several folds they are Student-t over the folds (§4.3.2), and
        `resamples` counts folds. Age strata are of the largest ratio, all folds pooled; survival
        tasks have rows on their risk groups, a brain age on its gap.
    """
    rows = []
    for (encoder, ratio), frame in predictions.groupby(["encoder", "ratio"]):
        key = {"task": card.name, "encoder": encoder, "ratio": ratio, "stratum": "all"}
        rows += [key | row for row in _all_rows(frame, card, protocol, seed)]
        for stratum, part in age_strata(frame, card) if ratio == predictions["ratio"].max() else ():
            scored = score_rows(align(part, card), card, protocol, seed)
            rows += [key | {"stratum": stratum} | row for row in scored]
    return pd.DataFrame(rows, columns=COLUMNS)


def _all_rows(frame, card, protocol, seed):
    frame = unless_by_splits(frame, card, protocol)
    if len(set(frame["fold"])) > 1:
        yield from fold_rows(frame, card, protocol)
        return
    yield from score_rows(align(frame, card), card, protocol, seed)
    if card.kind == "survival":
        yield from survival_rows(frame)
    yield from gap_rows(frame)


def score_rows(outcomes, card, protocol, seed):
    """Yield a row a metric of outcomes on one test set, as `metrics` describes it."""
    once = np.ones((len(outcomes.target), 1))
    observed = score_seeds(outcomes, card, once)
    resampled = bootstrap(outcomes, card, protocol, seed)
    for metric, by_seed in observed.items():
        low, high = percentile_interval(resampled[metric], protocol.alpha)
        yield {
            "metric": metric,
            "value": float(by_seed.mean()),
            "sd": _sd(resampled[metric]),
            "ci_low": low,
            "ci_high": high,
            "n": outcomes.n_subjects,
            "n_volumes": len(outcomes.target),
            "sd_seeds": _sd(by_seed[:, 0]),
            "sd_subjects": _spread(outcomes, card, metric),
            "resamples": int(np.sum(~np.isnan(resampled[metric]))),
        }


def _spread(outcomes, card, metric):
    """SD over subjects of an absolute error, over cases of their own score."""
    if metric.startswith("mae"):
        return _sd(outcomes.absolute_errors())
    if card.kind == "segmentation":
        column = list(scorers(card)).index(metric)
        return _sd(outcomes.subject_means(outcomes.predicted[..., column]))
    return np.nan


def _sd(values):
    """Sample standard deviation of the defined values; NaN for fewer than two."""
    defined = values[~np.isnan(values)]
    return float(defined.std(ddof=1)) if len(defined) > 1 else np.nan
