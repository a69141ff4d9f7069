"""Reference-point similarity maps and colours of patch tokens (paper §2.9, §4.6, Fig. 6a)."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

COMPONENTS = 3
COLUMNS = ["cohort", "contrast", "encoder", "reference", "auc", "auc_ceiling", "n"]


def similarity(placed, point):
    """Map how alike each pixel's token is to that of a reference point.

    Parameters
    ----------
    placed : braindino.representation.placement.SliceTokens
    point : (row, column)

    Returns
    -------
    ndarray [height, width]
        Cosine of L2-normalised tokens (eq. 12), interpolated bilinearly; NaN where unseen.
    """
    tokens = _unit(placed.tokens)
    return placed.upsample(tokens @ _unit(placed.at(*point)))


def separation(shown, mask, brain):
    """Return the AUC with which a map tells a tissue's pixels from the rest of the brain.

    0.5 is chance; NaN where the brain that the map covers holds no such pixel, or no other.
    """
    known = brain & ~np.isnan(shown)
    truth = mask[known]
    if truth.all() or not truth.any():
        return np.nan
    return float(roc_auc_score(truth, shown[known]))


def ceiling(placed, mask, brain):
    """Return the AUC of the tissue's own share in each token: what the grid's coarseness allows."""
    owner, count = placed.owners(), np.prod(placed.tokens.shape[:2])
    held = np.bincount(owner[mask], minlength=count)
    pixels = np.bincount(owner.ravel(), minlength=count).clip(1)
    share = (held / pixels).reshape(placed.tokens.shape[:2])
    return separation(placed.upsample(share), mask, brain)


def token_colours(placed, brain):
    """Turn the first three principal components of a slice's tokens into colours.

    Parameters
    ----------
    placed : SliceTokens
    brain : ndarray of bool [height, width]

    Returns
    -------
    ndarray [height, width, 3]
        Component scores over their SD, of the tokens that are mostly brain; NaN elsewhere.
    """
    owner, count = placed.owners(), np.prod(placed.tokens.shape[:2])
    pixels = np.bincount(owner.ravel(), minlength=count).clip(1)
    inside = np.bincount(owner[brain], minlength=count) / pixels >= 0.5
    scores = np.full((count, COMPONENTS), np.nan)
    if inside.sum() > COMPONENTS:
        tokens = placed.tokens.reshape(count, -1)[inside].astype(np.float64)
        made = PCA(COMPONENTS, svd_solver="full").fit_transform(tokens)
        scores[inside] = made / made.std(axis=0).clip(1e-12)
    return np.where((brain & placed.seen)[..., None], scores[owner], np.nan)


def _unit(tokens):
    length = np.linalg.norm(tokens, axis=-1, keepdims=True)
    return tokens / np.maximum(length, 1e-12)
