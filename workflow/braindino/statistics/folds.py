"""Scores over the splits of a cross-validation (§4.3.2)."""

import numpy as np
from scipy import stats

from braindino.statistics.bootstrap import score_seeds
from braindino.statistics.outcomes import align, pool_encoders


def unless_by_splits(frame, card, protocol):
    """Pool the folds of predictions, unless the protocol scores each split by itself."""
    by_splits = protocol.splits == "student" or len(set(frame["fold"])) == 1
    return frame if by_splits else pool_encoders(frame, card)


def fold_scores(frame, card):
    """Score each fold, averaged over label seeds: `{metric: [folds]}`.

    Parameters
    ----------
    frame : DataFrame
        Rows of one encoder and ratio in the contract's prediction columns.
    card : TaskCard
    """
    by_fold = []
    for _, part in frame.groupby("fold"):
        outcomes = align(part, card)
        scored = score_seeds(outcomes, card, np.ones((len(outcomes.target), 1)))
        by_fold.append({metric: values.mean() for metric, values in scored.items()})
    return {metric: np.array([row[metric] for row in by_fold]) for metric in by_fold[0]}


def fold_rows(frame, card, protocol):
    """Yield a row a metric: the mean over folds, with its Student-t interval.

    A fold whose test set lacks a class has no macro-AUC and is left out of that mean.
    """
    for metric, scores in fold_scores(frame, card).items():
        defined = scores[~np.isnan(scores)]
        low, high = student_interval(defined, protocol.alpha)
        yield {
            "metric": metric,
            "value": float(defined.mean()) if len(defined) else np.nan,
            "sd": float(defined.std(ddof=1)) if len(defined) > 1 else np.nan,
            "ci_low": low,
            "ci_high": high,
            "n": frame["subject"].nunique(),
            "n_volumes": frame["volume_id"].nunique(),
            "sd_seeds": np.nan,
            "sd_subjects": np.nan,
            "resamples": len(defined),
        }


def student_interval(values, alpha):
    """Student-t interval of a mean, of level 1 - `alpha`; without two values, undefined."""
    if len(values) < 2:
        return np.nan, np.nan
    half = stats.t.ppf(1 - alpha / 2, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)
