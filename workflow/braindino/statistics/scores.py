"""Weighted scores, for many weightings of the test volumes at once.

A resample of the test set is a weighting of its volumes by whole numbers, so one call scores
all resamples. Every function takes `target` [volumes], `predicted` ([volumes, classes] or
[volumes]) and `weights` [volumes, resamples], and returns one score a resample.
"""

import numpy as np

from braindino.statistics.segmentation import CASE_SCORES

BINS = 10  # of the calibration error; assumed


def auc(positive, score, weights):
    """Area under the ROC curve, ties counting half (Mann-Whitney); NaN where a side is empty.

    The negatives are sorted once for all resamples; the mean of the negative weight below each
    positive, and that below or level with it, counts its wins. `positive` is bool [volumes],
    `score` [volumes].
    """
    order = np.flatnonzero(~positive)[np.argsort(score[~positive], kind="stable")]
    passed = np.zeros((len(order) + 1, weights.shape[1]))
    np.cumsum(weights[order], axis=0, out=passed[1:])
    below, level = (np.searchsorted(score[order], score[positive], s) for s in ("left", "right"))
    own = weights[positive]
    wins = np.einsum("pb,pb->b", own, passed[below]) + np.einsum("pb,pb->b", own, passed[level])
    return _ratio(wins / 2, own.sum(axis=0) * passed[-1])


def macro_auc(target, predicted, weights):
    """Unweighted mean of the one-vs-rest AUCs; NaN where a class is absent."""
    classes = range(predicted.shape[1])
    return np.mean([auc(target == k, predicted[:, k], weights) for k in classes], axis=0)


def accuracy(target, predicted, weights):
    """Share of volumes whose most probable class is the true one."""
    return _mean(predicted.argmax(axis=1) == target, weights)


def ece(target, predicted, weights):
    """Return the expected calibration error of the most probable class (Guo et al. 2017).

    The mean over volumes of |confidence - accuracy| in a volume's bin, of ten equal ones.
    """
    confidence, right = predicted.max(axis=1), predicted.argmax(axis=1) == target
    bins = confidence_bins(confidence)[:, None] == np.arange(BINS)
    gaps = [np.abs(((right - confidence) * inside) @ weights) for inside in bins.T]
    return np.sum(gaps, axis=0) / weights.sum(axis=0)


def confidence_bins(confidence):
    """Return the index of each confidence's bin; a bin holds its upper end."""
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)


def c_index(target, predicted, weights):
    """Return Harrell's concordance of log hazards with survival; NaN without a comparable pair.

    Pairs count if the earlier time is an event's, or if an event and a censoring share a time;
    equal hazards count half. `target` is [volumes, 2]: time and event.
    """
    time, event = target.T
    earlier = (time[:, None] < time) | ((time[:, None] == time) & (event == 0))
    comparable = (earlier & (event[:, None] == 1)).astype(float)
    concordant = (predicted[:, None] > predicted) + 0.5 * (predicted[:, None] == predicted)
    pairs = (weights * (comparable @ weights)).sum(axis=0)
    return _ratio((weights * ((comparable * concordant) @ weights)).sum(axis=0), pairs)


def mae(target, predicted, weights):
    """Mean absolute error, in the target's unit."""
    return _mean(np.abs(predicted - target), weights)


def rmse(target, predicted, weights):
    """Root mean squared error, in the target's unit."""
    return np.sqrt(_mean((predicted - target) ** 2, weights))


def r2(target, predicted, weights):
    """Coefficient of determination; NaN where all targets are equal."""
    centred = target - target.mean()  # keeps the variance below from cancelling
    variance = _mean(centred**2, weights) - _mean(centred, weights) ** 2
    return 1 - _ratio(_mean((predicted - target) ** 2, weights), variance)


def case_mean(column):
    """Return the score that is the mean over cases of a column of what was predicted."""
    return lambda _target, predicted, weights: _mean(predicted[:, column], weights)


def scorers(card):
    """Return the scores of a task by their names in the results, the primary one first."""
    if card.kind == "classification":
        return {"macro_auc": macro_auc, "accuracy": accuracy, "ece": ece}
    if card.kind == "survival":
        return {"c_index": c_index}
    if card.kind == "segmentation":
        return {name: case_mean(place) for place, name in enumerate(CASE_SCORES)}
    suffix = f"_{card.unit}" if card.unit else ""
    return {f"mae{suffix}": mae, f"rmse{suffix}": rmse, "r2": r2}


def _mean(values, weights):
    return values.astype(float) @ weights / weights.sum(axis=0)


def _ratio(numerator, denominator):
    empty = np.full(np.shape(numerator), np.nan)
    return np.divide(numerator, denominator, out=empty, where=denominator > 0)
