"""Measures of a stripped volume, and which volumes of a cohort they single out."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from braindino.imaging.volume import spacing_of

# Iglewicz and Hoaglin (1993), "How to Detect and Handle Outliers": modified z-scores beyond 3.5.
LIMIT = 3.5
SD_PER_MAD = 1.4826  # of a normal distribution
FEWEST = 10  # assumed: the MAD of fewer volumes says little of how they spread
# assumed: share of the median (of the whole, for a share) below which rounding makes a difference
LEAST_SPREAD = 0.01
OUTLIERS = [
    *("volume_id", "dataset", "number", "modality", "measure", "value", "median", "z", "reason"),
]


class Measure(NamedTuple):
    """What a measure is called, and how its values are printed."""

    title: str
    form: str


MEASURES = {
    "brain_ml": Measure("brain volume", "{:,.0f} ml"),
    "border_share": Measure("mask's surface on the scan's border", "{:.1%}"),
    "width_mm": Measure("brain's width", "{:.0f} mm"),
    "length_mm": Measure("brain's length", "{:.0f} mm"),
    "height_mm": Measure("brain's height", "{:.0f} mm"),
    "intensity_low": Measure("low intensity", "{:,.5g}"),
    "intensity_median": Measure("median intensity", "{:,.5g}"),
    "intensity_high": Measure("high intensity", "{:,.5g}"),
}


def measures(raw, mask, brain, affine, protocol):
    """Measure a stripped volume.

    Parameters
    ----------
    raw : ndarray [x, y, z]
        RAS+ intensities.
    mask : ndarray of bool [x, y, z]
        The brain, not empty.
    brain : ndarray [x, y, z]
        The stripped, cropped volume.
    affine : ndarray [4, 4]
        Voxel to world (mm, RAS+).
    protocol : braindino.settings.imaging.Imaging
        Whose `clip_percentiles` are those of intensity_low and intensity_high.

    Returns
    -------
    dict
        The keys of MEASURES; the intensities are raw ones inside the mask.
    """
    spacing = spacing_of(affine)
    low, high = protocol.clip_percentiles
    levels = np.percentile(inside(raw, mask), [low, 50, high])
    values = (
        round(float(np.count_nonzero(mask) * np.prod(spacing) / 1000), 1),
        round(border_share(mask, spacing), 4),
        *(round(float(side), 1) for side in np.multiply(brain.shape, spacing)),
        *(float(level) for level in levels),
    )
    return dict(zip(MEASURES, values, strict=True))


def inside(raw, mask):
    """Return the intensities inside a mask, gathered in the order in which NIfTI stores them."""
    return raw.T[mask.T]


def border_share(mask, spacing):
    """Return the share of a mask's surface (mm²) that lies on the volume's border.

    Parameters
    ----------
    mask : ndarray of bool [x, y, z]
        Not empty.
    spacing : sequence of 3 floats
        Millimetres along x, y, z.
    """
    facets = np.prod(spacing) / np.asarray(spacing)
    ends = [np.moveaxis(mask, axis, 0)[[0, -1]] for axis in range(3)]
    border = sum(facet * np.count_nonzero(end) for facet, end in zip(facets, ends, strict=True))
    within = [np.count_nonzero(np.diff(mask, axis=axis)) for axis in range(3)]
    return float(border / (border + np.dot(facets, within)))


def robust_z(values, least=0.0):
    """Return modified z-scores: distances from the median in robust standard deviations.

    Parameters
    ----------
    values : array-like [n]
    least : float
        The standard deviation where the robust one is smaller.

    Returns
    -------
    ndarray [n]
        Zeros where neither `least` nor the values give a scale.
    """
    distance = np.asarray(values, float) - np.median(values)
    scale = max(SD_PER_MAD * np.median(np.abs(distance)), least)
    return distance / scale if scale else np.zeros_like(distance)


def find_outliers(index):
    """List what stands out among the volumes of one cohort and contrast.

    Parameters
    ----------
    index : DataFrame
        Indices of a cohort's chunks, joined in order: volume_id, dataset, modality and MEASURES.

    Returns
    -------
    DataFrame
        Columns OUTLIERS, a row a volume and measure; number counts the rows of
        `index` from 1. Nothing is dropped for it: a person decides.
    """
    index = index.assign(number=np.arange(1, len(index) + 1))
    groups = [group for _, group in index.groupby("modality") if len(group) >= FEWEST]
    found = [_of_measure(group, name) for group in groups for name in MEASURES]
    table = pd.concat(found) if found else pd.DataFrame(columns=OUTLIERS)
    return table.sort_values(["number", "measure"], ignore_index=True)


def _of_measure(group, name):
    values = group[name]
    median = values.median()
    z = robust_z(values, LEAST_SPREAD * (1 if name == "border_share" else abs(median)))
    rows = group.assign(measure=name, value=values, median=median, z=z.round(1))
    rows["reason"] = [_reason(name, value, median) for value in values]
    return rows.loc[np.abs(z) > LIMIT, OUTLIERS]


def _reason(name, value, median):
    title, form = MEASURES[name]
    return f"{title} {form.format(value)}, cohort's median {form.format(median)}"
