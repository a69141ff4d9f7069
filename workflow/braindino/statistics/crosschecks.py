"""Beside the paper's tests: other tests of the same differences, effect sizes, and power."""

import warnings

import numpy as np
from scipy import stats

from braindino.statistics.multiplicity import bonferroni

POWER = 0.8
FULL = 1e-6  # an AUC of 1 has no finite effect size


def delong(positive, reference, rival):
    """Compare two AUCs on the same subjects by DeLong's test (DeLong et al. 1988).

    Parameters
    ----------
    positive : ndarray of bool [subjects]
    reference, rival : ndarray of float [seeds, subjects]
        Scores; the AUC compared is the mean over label seeds.

    Returns
    -------
    float
        Two-sided p; NaN with fewer than two subjects of a class, 1 for AUCs that never differ.
    """
    if min(positive.sum(), (~positive).sum()) < 2:
        return np.nan
    of_positive, of_negative = (
        b - a for a, b in zip(_placements(positive, reference), _placements(positive, rival),
                              strict=True)
    )  # fmt: skip
    variance = sum(part.var(ddof=1) / len(part) for part in (of_positive, of_negative))
    if not variance:
        return 1.0
    return float(2 * stats.norm.sf(abs(of_positive.mean()) / np.sqrt(variance)))


def _placements(positive, scores):
    """Return each positive's share of negatives below it, and each negative's of those above."""
    won = np.mean([_won(row[positive], row[~positive]) for row in scores], axis=0)
    return won.mean(axis=1), won.mean(axis=0)


def _won(high, low):
    return (high[:, None] > low) + 0.5 * (high[:, None] == low)


def signed_rank(reference, rival):
    """Wilcoxon's signed-rank test on each label seed, by Bonferroni's method over seeds.

    Parameters
    ----------
    reference, rival : ndarray of float [seeds, subjects]
        Errors, or other per-subject scores; of a seed without a difference p is 1.
    """
    with warnings.catch_warnings():  # of ties, for which SciPy takes the normal approximation
        warnings.simplefilter("ignore")
        pairs = zip(reference, rival, strict=True)
        return bonferroni(
            [stats.wilcoxon(b, a).pvalue if np.any(a != b) else 1.0 for a, b in pairs]
        )


def effect_size(metric, reference, rival):
    """Return a standardised difference of two shares or areas; NaN for other metrics.

    Of areas (AUC, C-index) it is the difference of the d' that they amount to, the square root of
    two times the normal quantile; of accuracies Cohen's h.
    """
    pair = np.clip([reference, rival], FULL, 1 - FULL)
    if metric in ("macro_auc", "c_index"):
        return float(np.sqrt(2) * np.diff(stats.norm.ppf(pair)).item())
    if metric == "accuracy":
        return float(2 * np.diff(np.arcsin(np.sqrt(pair))).item())
    return np.nan


def paired_effect(differences):
    """Cohen's d of paired differences: their mean over their SD; NaN without spread."""
    spread = np.std(differences, ddof=1) if len(differences) > 1 else 0
    return float(np.mean(differences) / spread) if spread else np.nan


def detectable(standard_error, alpha):
    """Return the smallest true difference that a two-sided test finds with 80 % power."""
    quantiles = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(POWER)
    return float(quantiles * standard_error)


def standard_error(differences):
    """Return the standard error of the mean of paired differences; NaN for fewer than two."""
    return float(stats.sem(differences)) if len(differences) > 1 else np.nan
