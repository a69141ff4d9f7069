"""The bootstrap over test subjects, equal for all encoders of a task."""

import numpy as np

from braindino.seeds import derive_rng
from braindino.statistics.scores import scorers


def volume_weights(subject, resamples, rng):
    """Draw resamples of the subjects with replacement, as weights of their volumes.

    Parameters
    ----------
    subject : ndarray of int [volumes]
        Subject of each volume, from 0; a subject's volumes are drawn together.
    resamples : int
        Number of resamples.
    rng : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    ndarray of float [volumes, resamples]
        How often each volume is in each resample.
    """
    n = int(subject.max()) + 1
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    return np.ascontiguousarray(drawn.T[subject], dtype=float)


def score_seeds(outcomes, card, weights):
    """Score every label seed under every weighting: `{metric: [seeds, resamples]}`."""
    return {
        metric: np.stack([score(outcomes.target, p, weights) for p in outcomes.predicted])
        for metric, score in scorers(card).items()
    }


def bootstrap(outcomes, card, protocol, seed):
    """Return the bootstrap distribution of each metric's mean over label seeds: [resamples].

    The draw depends on the run's seed and the task alone, so encoders are resampled alike and
    their differences are paired (paper §4.7). A resample that lacks a class has no macro-AUC:
    it is NaN here, and excluded by those who summarise it.
    """
    rng = derive_rng(seed, card.name, "bootstrap")
    weights = volume_weights(outcomes.subject, protocol.bootstrap, rng)
    scores = score_seeds(outcomes, card, weights)
    return {metric: by_seed.mean(axis=0) for metric, by_seed in scores.items()}


def percentile_interval(distribution, alpha):
    """Percentile interval of level 1 - `alpha` (§4.7: 2.5th and 97.5th percentiles)."""
    defined = distribution[~np.isnan(distribution)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.quantile(defined, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)
