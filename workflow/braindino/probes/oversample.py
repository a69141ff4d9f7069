"""Synthetic minority samples, made of the features that a head learns from (§4.3.2)."""

import numpy as np


def oversample(features, classes, neighbours, seed):
    """Make synthetic samples until every class is as frequent as the largest.

    SMOTE (Chawla et al. 2002), of imbalanced-learn. A class of one sample has no neighbour, so
    it is repeated; one of few has as many neighbours as there are. One class alone stays as it is.

    Parameters
    ----------
    features : ndarray [n, dim]
        Training samples alone.
    classes : ndarray of int [n]
    neighbours : int
    seed : int

    Returns
    -------
    features : ndarray [m, dim], float32
        The synthetic samples.
    classes : ndarray of int [m]
    """
    from imblearn.over_sampling import SMOTE, RandomOverSampler  # costs what most jobs need not pay

    counts = np.bincount(classes)
    least, state = counts[counts > 0].min(), seed % 2**32
    if least == counts.max():  # even already, or one class alone
        return features[:0].astype(np.float32), classes[:0]
    if least > 1:
        sampler = SMOTE(k_neighbors=min(neighbours, least - 1), random_state=state)
    else:
        sampler = RandomOverSampler(random_state=state)
    made, labels = sampler.fit_resample(features, classes)
    return made[len(features) :].astype(np.float32), labels[len(features) :]
