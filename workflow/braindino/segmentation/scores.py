"""Scores of a segmented case: overlap, surface distance and lesions, for each region."""

import math

import nibabel as nib
import numpy as np
import torch
from monai.metrics import compute_hausdorff_distance

from braindino.segmentation.lesions import lesion_scores

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


def score_case(label, segmentation, regions):
    """Score one case.

    Parameters
    ----------
    label : path
        The cohort's label map.
    segmentation : path
        Voxels count the regions that hold them.
    regions : braindino.settings.cards.Regions

    Yields
    ------
    dict
        A row a region: region, dice, hd95, those of `lesion_scores`, and the voxels of both.
    """
    image = nib.load(label)
    values, levels = np.asanyarray(image.dataobj), np.asanyarray(nib.load(segmentation).dataobj)
    spacing = tuple(float(mm) for mm in image.header.get_zooms()[:3])
    for level, (region, own) in enumerate(regions.values.items(), start=1):
        truth, predicted = np.isin(values, own), levels >= level
        yield {
            "region": region,
            "dice": dice(truth, predicted),
            "hd95": hd95(truth, predicted, spacing),
            **lesion_scores(truth, predicted, spacing, regions),
            "voxels": int(truth.sum()),
            "voxels_predicted": int(predicted.sum()),
        }
