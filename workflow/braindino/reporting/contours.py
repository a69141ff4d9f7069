"""Slices of segmented cases for Figure 2, chosen by rule."""

from typing import NamedTuple

import nibabel as nib
import numpy as np

from braindino.statistics.segmentation import REGIONS

MARGIN = 4  # voxels around the brain
# As readers look for them: oedema on FLAIR, core and enhancement on the contrast-enhanced T1.
SHOWN_ON = {"wt": "FLAIR", "tc": "T1c", "et": "T1c"}


class Contours(NamedTuple):
    """One slice of a case, rows from the forehead down, columns from left to right.

    Attributes
    ----------
    cohort : str
    images : dict of ndarray [rows, columns]
        By region, grey values of the contrast on which it is shown.
    truth : dict of ndarray of bool
        By region.
    predicted : dict of dict of ndarray of bool
        By encoder, then by region.
    aspect : float
        Height of a voxel relative to its width.
    """

    cohort: str
    images: dict
    truth: dict
    predicted: dict
    aspect: float


def median_case(predictions):
    """Choose the case whose mean Dice over regions is the median with the most labels.

    Of two in the middle the lower; equal ones in the order of their ids.

    Parameters
    ----------
    predictions : DataFrame
        Of the reference encoder.
    """
    rows = predictions[predictions["ratio"] == predictions["ratio"].max()]
    dice = rows.groupby("volume_id")["dice"].mean().sort_values(kind="stable")
    return dice.index[(len(dice) - 1) // 2]


def largest_slice(mask):
    """Return the axial plane of a mask [x, y, z] with the largest area, the lowest if equal."""
    return int(mask.sum(axis=(0, 1)).argmax())


def read_contours(cohort, case, regions, segmentations):
    """Read the slice of a case in which its whole tumour is largest.

    Parameters
    ----------
    cohort : str
        Title.
    case : Series
        Row of the cases' table: label and the path of each contrast.
    regions : braindino.settings.cards.Regions
    segmentations : dict
        encoder → path of its label map, whose voxels count the regions that hold them.
    """
    label, zooms = _upright(case["label"])
    plane = largest_slice(np.isin(label, regions.wt))
    volumes = {name: _upright(case[name])[0] for name in set(SHOWN_ON.values())}
    box = _box(volumes["FLAIR"])
    levels = {name: _plane(_upright(path)[0], plane, box) for name, path in segmentations.items()}
    return Contours(
        cohort,
        {name: _plane(volumes[contrast], plane, box) for name, contrast in SHOWN_ON.items()},
        {
            name: np.isin(_plane(label, plane, box), values)
            for name, values in regions.values.items()
        },
        {
            encoder: {name: own >= level for level, name in enumerate(REGIONS, start=1)}
            for encoder, own in levels.items()
        },
        zooms[1] / zooms[0],
    )


def _upright(path):
    """Read a volume in RAS order, with its zooms."""
    image = nib.as_closest_canonical(nib.load(path))
    return np.asanyarray(image.dataobj), image.header.get_zooms()


def _box(volume):
    """Return the brain's in-plane box, widened by a margin."""
    places = np.argwhere(volume.any(axis=2))
    low, high = places.min(0) - MARGIN, places.max(0) + 1 + MARGIN
    return tuple(slice(max(0, a), b) for a, b in zip(low, high, strict=True))


def _plane(volume, plane, box):
    return volume[:, :, plane][box].T[::-1]
