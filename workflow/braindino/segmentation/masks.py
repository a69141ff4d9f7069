"""How well two masks agree: overlap, and the distance of their surfaces."""

import math

import torch
from monai.metrics import compute_hausdorff_distance

PERCENTILE = 95


def dice(truth, predicted):
    """Return the Dice of two masks; 1 where both are empty, as BraTS counts it."""
    total = truth.sum() + predicted.sum()
    return float(2 * (truth & predicted).sum() / total) if total else 1.0


def hd95(truth, predicted, spacing):
    """Return the 95th percentile of the Hausdorff distance of two masks, in mm.

    0 where both are empty; where one is, the diagonal of the volume, 373.1 mm on the grid of
    BraTS, the penalty of the challenges.
    """
    if not truth.any() and not predicted.any():
        return 0.0
    if not truth.any() or not predicted.any():
        return diagonal(truth.shape, spacing)
    masks = (torch.from_numpy(mask)[None, None] for mask in (predicted, truth))
    return compute_hausdorff_distance(
        *masks, include_background=True, percentile=PERCENTILE, spacing=list(spacing)
    ).item()


def diagonal(shape, spacing):
    """Return the length of a volume's diagonal, in mm."""
    return math.hypot(*(n * mm for n, mm in zip(shape, spacing, strict=True)))
