"""Small pictures for quality control: the mask on the raw volume, and normalised slices."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from braindino.files import written_whole
from braindino.imaging.normalise import axial_slices

SIDE = 160
# Enough of the skull to judge the mask's edge by, too little of the face to know a person.
MARGIN_MM = 12
HEIGHTS = (0.3, 0.5, 0.7)


class Thumbnail(NamedTuple):
    """Pictures of one volume, SIDE × SIDE pixels each."""

    raw: np.ndarray  # uint8 [3, side, side]: axial, coronal, sagittal plane of the raw volume
    mask: np.ndarray  # bool [3, side, side]
    slices: np.ndarray  # uint8 [3, side, side]: normalised axial slices at HEIGHTS
    stripped_before: bool


def thumbnail(raw, mask, brain, spacing, stripped_before, protocol):
    """Draw the planes through the brain's centre, blanked beyond a margin, and three slices.

    Parameters
    ----------
    raw : ndarray [x, y, z]
        RAS+ intensities.
    mask : ndarray of bool [x, y, z]
    brain : ndarray [x, y, z]
        The stripped, cropped volume.
    spacing : sequence of 3 floats
        Millimetres along x, y, z.
    stripped_before : bool
        Whether the volume came stripped.
    protocol : braindino.settings.imaging.Imaging
    """
    centre = [int(c) for c in ndimage.center_of_mass(mask)]
    planes = [_plane(raw, mask, axis, centre[axis], spacing) for axis in (2, 1, 0)]
    pictures, masks = zip(*planes, strict=True)
    normalised = axial_slices(brain, (64, SIDE, SIDE), protocol)
    chosen = normalised[[int(height * 64) for height in HEIGHTS]].numpy()
    # ±3 SD around the brain's mean covers every contrast's normal tissue.
    slices = np.where(chosen == 0, 0, np.clip((chosen + 3) / 6 * 255, 0, 255)).astype(np.uint8)
    return Thumbnail(np.stack(pictures), np.stack(masks), slices, stripped_before)


def save_thumbnails(thumbnails, path):
    """Write thumbnails as one .npz: raw, mask, slices and stripped_before, stacked."""
    shape = (0, 3, SIDE, SIDE)
    empty = Thumbnail(
        np.zeros(shape, np.uint8), np.zeros(shape, bool), np.zeros(shape, np.uint8), []
    )
    columns = [np.stack(column) for column in zip(*thumbnails, strict=True)] or empty
    with written_whole(path) as part:
        np.savez_compressed(part, **dict(zip(Thumbnail._fields, columns, strict=True)))


def _plane(raw, mask, axis, position, spacing):
    keep = [a for a in range(3) if a != axis]
    # Rows run from top (or front) to bottom, columns along x or y.
    picture = np.take(raw, position, axis).T[::-1].astype(np.float32)
    inside = np.take(mask, position, axis).T[::-1]
    sampling = [spacing[keep[1]], spacing[keep[0]]]
    if inside.any():
        distance = ndimage.distance_transform_edt(~inside, sampling=sampling)
        picture = np.where(distance <= MARGIN_MM, picture, 0)
        top = max(float(np.percentile(picture[inside], 99.5)), 1e-6)
        picture = np.clip(picture / top, 0, 1)
    return _fit(picture, sampling, "bilinear") * 255, _fit(inside, sampling, "nearest") > 0


def _fit(plane, sampling, mode):
    """Scale a plane to SIDE pixels with its true proportions, padded with zeros."""
    extent = [n * s for n, s in zip(plane.shape, sampling, strict=True)]
    size = [max(1, round(SIDE * side / max(extent))) for side in extent]
    image = torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float32))[None, None]
    image = F.interpolate(image, size=size, mode=mode)[0, 0].numpy()
    before = [(SIDE - n) // 2 for n in size]
    return np.pad(image, [(b, SIDE - n - b) for b, n in zip(before, size, strict=True)])
