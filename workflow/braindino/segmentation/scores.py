"""Scores of a segmented case: overlap, surface distance and lesions, for each region."""

import nibabel as nib
import numpy as np

from braindino.segmentation.lesions import lesion_scores
from braindino.segmentation.masks import dice, hd95


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
