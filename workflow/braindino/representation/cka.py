"""Linear centred kernel alignment of features (Kornblith et al. 2019; paper §4.6)."""

from functools import cached_property

import numpy as np


class Features:
    """Centred features of n volumes, with what all their comparisons share.

    With K = XXᵀ of centred X, as H = I - 11ᵀ/n makes it, ⟨K, L⟩ = ‖XᵀY‖². The sums over dim × dim
    products need no Gram matrix, and each encoder's own is taken once, not once a pair. Products
    are in float32, in which features are kept, and their sum in float64: what single products
    lose to rounding averages out (a test and a benchmark hold the result to 1e-6).

    Parameters
    ----------
    values : ndarray [n, dim]
    """

    def __init__(self, values):
        mean = values.mean(axis=0, dtype=np.float64).astype(values.dtype)
        centred = (values - mean).astype(np.float32, copy=False)
        # No measure below knows of scale; so no square of a feature is too large or too small.
        self.x = centred / (np.linalg.norm(centred) or 1)

    @cached_property
    def norm(self):
        """‖K‖, the Frobenius norm of the centred Gram matrix."""
        return np.sqrt(self.inner(self))

    @cached_property
    def diagonal(self):
        """The diagonal of K."""
        return np.einsum("nd,nd->n", self.x, self.x, dtype=np.float64)

    @cached_property
    def gram(self):
        """K [n, n], float64; the bootstrap needs it."""
        return (self.x @ self.x.T).astype(np.float64)

    def inner(self, other):
        """⟨K, L⟩, by the smaller of both ways to form it."""
        n, wide = len(self.x), max(self.x.shape[1], other.x.shape[1])
        if n < wide:
            return float(np.sum(self.gram * other.gram))
        product = self.x.T @ other.x
        return float(np.einsum("ij,ij->i", product, product).sum(dtype=np.float64))


def cka(first, second):
    """Return ⟨K, L⟩ / (‖K‖ ‖L‖): 1 for features that differ by rotation and scale alone.

    Parameters
    ----------
    first, second : Features
        Of the same volumes, in the same order.

    Returns
    -------
    float
        NaN where either is constant.
    """
    scale = first.norm * second.norm
    return first.inner(second) / scale if scale else np.nan


def debiased_cka(first, second):
    """Return CKA with the unbiased estimator of HSIC (Song et al. 2012; Nguyen et al. 2021).

    Of few volumes and many features, plain CKA is near 1 even of noise; this is near 0 there, and
    may be below. NaN for fewer than four volumes.
    """
    if len(first.x) < 4:
        return np.nan
    own = _unbiased(first, first) * _unbiased(second, second)
    return _unbiased(first, second) / np.sqrt(own) if own > 0 else np.nan


def _unbiased(first, second):
    """Return n(n-3) HSIC₁. K and L lose their diagonals; the rows of what is centred sum to 0."""
    n, ours, theirs = len(first.x), first.diagonal, second.diagonal
    both = ours @ theirs
    # Without its diagonal, row i of a centred matrix sums to minus that.
    sums = ours.sum() * theirs.sum() / ((n - 1) * (n - 2))
    return first.inner(second) - both + sums - 2 / (n - 2) * both


def bootstrap_cka(first, second, weights):
    """Return plain CKA of resamples.

    Parameters
    ----------
    first, second : Features
    weights : ndarray [n, resamples]
        How often each volume is in each resample.

    Returns
    -------
    ndarray [resamples]
    """
    own = _weighted(first, first, weights) * _weighted(second, second, weights)
    return _weighted(first, second, weights) / np.sqrt(own)


def _weighted(first, second, weights):
    """Return ⟨K, L⟩ of each resample, centred by its own mean: three products of [n, n]."""
    total = weights.sum(axis=0)
    ours, theirs = (features.gram @ weights for features in (first, second))
    pairs = np.einsum("nb,nb->b", weights, (first.gram * second.gram) @ weights)
    rows = np.einsum("nb,nb,nb->b", weights, ours, theirs)
    sums = [np.einsum("nb,nb->b", weights, part) for part in (ours, theirs)]
    return pairs - 2 * rows / total + sums[0] * sums[1] / total**2
