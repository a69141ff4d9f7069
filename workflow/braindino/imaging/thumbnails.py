"""Small pictures and histograms for quality control; no face is in them."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from braindino.files import written_whole
from braindino.imaging.normalise import axial_slices
from braindino.imaging.quality import inside

SIDE = 160
# Enough of the skull to judge the mask's edge by, too little of the face to know a person.
MARGIN_MM = 12
HEIGHTS = (0.3, 0.5, 0.7)
BINS = 64  # of a histogram
Z_RANGE = (-5.0, 5.0)  # assumed: in SD, what clipping leaves of every contrast's tissue


class Thumbnail(NamedTuple):
    """A volume's pictures, SIDE × SIDE pixels each, and its histograms, BINS counts each."""

    raw: np.ndarray  # uint8 [3, side, side]: axial, coronal, sagittal plane of the raw volume
    mask: np.ndarray  # bool [3, side, side]
    slices: np.ndarray  # uint8 [3, side, side]: normalised axial slices at HEIGHTS
    before: np.ndarray  # uint32 [bins]: raw intensities inside the mask, between limits
    after: np.ndarray  # uint32 [bins]: normalised intensities inside the mask, over Z_RANGE


def thumbnail(raw, mask, brain, spacing, limits, protocol):
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
    limits : pair of floats
        Ends of the raw histogram.
    protocol : braindino.settings.imaging.Imaging
    """
    centre = _centre(mask)
    planes = [_plane(raw, mask, axis, centre[axis], spacing) for axis in (2, 1, 0)]
    pictures, masks = zip(*planes, strict=True)
    normalised = axial_slices(brain, (64, SIDE, SIDE), protocol).numpy()
    chosen = normalised[[int(height * 64) for height in HEIGHTS]]
    # ±3 SD around the brain's mean covers every contrast's normal tissue.
    slices = np.where(chosen == 0, 0, np.clip((chosen + 3) / 6 * 255, 0, 255)).astype(np.uint8)
    before = _histogram(inside(raw, mask), limits)
    after = _histogram(normalised[normalised != 0], Z_RANGE)
    return Thumbnail(np.stack(pictures), np.stack(masks), slices, before, after)


def blanked(thumbnail):
    """Return a thumbnail without its pictures."""
    pictures = {name: np.zeros_like(getattr(thumbnail, name)) for name in ("raw", "mask", "slices")}
    return thumbnail._replace(**pictures)


def save_thumbnails(thumbnails, path):
    """Write thumbnails as one .npz, each field stacked over the volumes."""
    pictures, bins = (0, 3, SIDE, SIDE), (0, BINS)
    dtypes = [(pictures, np.uint8), (pictures, bool), (pictures, np.uint8)]
    empty = [np.zeros(shape, dtype) for shape, dtype in [*dtypes, *[(bins, np.uint32)] * 2]]
    columns = [np.stack(column) for column in zip(*thumbnails, strict=True)] or empty
    with written_whole(path) as part:
        np.savez_compressed(part, **dict(zip(Thumbnail._fields, columns, strict=True)))


def _centre(mask):
    """Return the voxel nearest below the centre of mass, by the profile along each axis."""
    profiles = mask.sum(axis=(1, 2)), mask.sum(axis=(0, 2)), mask.sum(axis=(0, 1))
    return [int(profile @ np.arange(len(profile)) / profile.sum()) for profile in profiles]


def _histogram(values, limits):
    return np.histogram(values, BINS, limits)[0].astype(np.uint32)


def _plane(raw, mask, axis, position, spacing):
    keep = [a for a in range(3) if a != axis]
    # Rows run from top (or front) to bottom, columns along x or y.
    picture, brain = (np.moveaxis(v, axis, 0)[position].T[::-1] for v in (raw, mask))
    sampling = [spacing[keep[1]], spacing[keep[0]]]
    if not brain.any():  # then nothing of the plane is near the brain
        return np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), bool)
    near = ndimage.distance_transform_edt(~brain, sampling=sampling) <= MARGIN_MM
    top = max(np.percentile(picture[brain], 99.5), 1e-6)
    box = ndimage.find_objects(near.astype(np.uint8))[0]
    shown = np.where(near, np.clip(picture / top, 0, 1), 0)[box]
    shown = (_fit(shown, sampling, "bilinear") * 255).astype(np.uint8)
    return shown, _fit(brain[box], sampling, "nearest") > 0


def _fit(plane, sampling, mode):
    """Scale a plane to SIDE pixels with its true proportions, padded with zeros."""
    extent = [n * s for n, s in zip(plane.shape, sampling, strict=True)]
    size = [max(1, round(SIDE * side / max(extent))) for side in extent]
    image = torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float32))[None, None]
    image = F.interpolate(image, size=size, mode=mode)[0, 0].numpy()
    before = [(SIDE - n) // 2 for n in size]
    return np.pad(image, [(b, SIDE - n - b) for b, n in zip(before, size, strict=True)])
