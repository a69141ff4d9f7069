"""A picture of every severity: the same slice of one volume, as the encoders see it."""

import numpy as np

from braindino.corpus.stripped import filled_box
from braindino.imaging.normalise import axial_slices
from braindino.imaging.volume import crop, read_canonical, spacing_of
from braindino.robustness.change import Change
from braindino.robustness.conditions import CLEAN

SIDE, PLANES, HEIGHT = 160, 64, 0.55
Z_RANGE = (-3.0, 3.0)  # of the shown grey levels: SD around the brain's mean


def severity_slices(volume, mask, grid, protocol, seed=0):
    """Draw a slice of a volume under each condition, inside the clean mask: no face is shown.

    Parameters
    ----------
    volume : tuple
        Row of corpus/volumes/<dataset>.parquet, with path and volume_id.
    mask : ndarray of bool [x, y, z]
    grid : list of (condition, kind, severity)
    protocol : braindino.settings.imaging.Imaging
    seed : int

    Returns
    -------
    ndarray of uint8 [conditions, side, side]
        In the order of `grid`.
    """
    raw, affine = read_canonical(volume.path, protocol.min_voxels, protocol.axial)
    pictures = []
    for condition, kind, severity in grid:
        change = Change(kind, severity, seed)
        changed = change.volume(raw, spacing_of(affine), volume.volume_id)
        own = mask if condition == CLEAN else change.mask(mask)
        brain, _ = crop(np.where(own, changed, 0), affine, filled_box(own))
        pictures.append(_slice(brain, protocol))
    return np.stack(pictures)


def _slice(brain, protocol):
    shown = axial_slices(brain, (PLANES, SIDE, SIDE), protocol).numpy()[int(HEIGHT * PLANES)]
    low, high = Z_RANGE
    grey = np.clip((shown - low) / (high - low), 0, 1) * 255
    return np.where(shown == 0, 0, grey).astype(np.uint8)
