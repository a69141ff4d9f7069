"""Scores by lesion, as the BraTS challenges count metastases since 2023.

Lesions of the ground truth are the pieces of its dilated mask, so that near fragments are one. A
predicted piece belongs to the lesions whose dilated mask it touches; one that touches none is a
false positive. A lesion is scored against all that belongs to it, a missed lesion and a false
positive count 0 (and the diagonal of the volume), and the case's score is their mean.
"""

import numpy as np
from scipy import ndimage

from braindino.segmentation.masks import diagonal, dice, hd95

TOUCHING = ndimage.generate_binary_structure(3, 3)  # 26 neighbours make a piece
GROWING = ndimage.generate_binary_structure(3, 2)  # 18 neighbours make a dilation


def lesion_scores(truth, predicted, spacing, regions):
    """Score one region of a case by lesion.

    Parameters
    ----------
    truth, predicted : ndarray of bool [x, y, z]
    spacing : tuple of float
        Of the voxels (mm).
    regions : braindino.settings.cards.Regions
        Says how far lesions are grown, and how small a true one is left out.

    Returns
    -------
    dict
        lesion_dice, lesion_hd95 (mm), lesions, lesions_found and lesions_false.
    """
    grown, count = _grow(truth, regions.dilation)
    pieces, total = ndimage.label(predicted, TOUCHING)
    dices, distances, touched, found = [], [], set(), 0
    for lesion in range(1, count + 1):
        own = truth & (grown == lesion)
        hits = set(np.unique(pieces[grown == lesion]).tolist()) - {0}
        touched |= hits
        if own.sum() <= regions.least_lesion:
            continue
        theirs = np.isin(pieces, list(hits))
        found += bool(hits)
        dices.append(dice(own, theirs))
        distances.append(hd95(own, theirs, spacing))
    false = total - len(touched)
    dices += [0.0] * false
    distances += [diagonal(truth.shape, spacing)] * false
    return {
        "lesion_dice": float(np.mean(dices)) if dices else 1.0,
        "lesion_hd95": float(np.mean(distances)) if distances else 0.0,
        "lesions": len(dices) - false,
        "lesions_found": found,
        "lesions_false": false,
    }


def _grow(mask, voxels):
    """Return pieces of the dilated mask, and their number."""
    grown = ndimage.binary_dilation(mask, GROWING, iterations=voxels) if voxels else mask
    return ndimage.label(grown, TOUCHING)
