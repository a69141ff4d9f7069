"""The anatomy every phantom is made of: nilearn's MNI152 maps and distances to their borders."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from nilearn import datasets
from scipy import ndimage

RESOLUTION = 2  # mm; the maps are population averages, finer grids add nothing
MARGIN = 12  # voxels around the brain, room for a skull and a scalp
# MNI millimetres (x, y, z) of a box that holds the lateral and third ventricles.
VENTRICLE_BOX = ((-42, 42), (-56, 42), (-6, 36))


class Template(NamedTuple):
    """Maps on one grid in RAS order.

    Attributes
    ----------
    maps : torch.Tensor
        `[4, x, y, z]`: grey matter, white matter (fractions), distance to the brain's surface,
        distance to the ventricles' wall (mm, negative inside).
    origin : ndarray
        MNI position in mm of the first voxel's centre.
    """

    maps: torch.Tensor
    origin: np.ndarray

    def sample(self, points):
        """Interpolate the maps at MNI `points` (mm, `[3, x, y, z]`): `[4, x, y, z]`, trilinear."""
        extent = torch.tensor(self.maps.shape[1:]) - 1.0
        place = [
            (points[axis] - float(self.origin[axis])) * (2 / RESOLUTION / float(extent[axis])) - 1
            for axis in (2, 1, 0)  # grid_sample counts from the last axis
        ]
        return torch.nn.functional.grid_sample(
            self.maps[None], torch.stack(place, -1)[None], padding_mode="border", align_corners=True
        )[0].numpy()


@lru_cache(maxsize=1)
def load_template():
    """Load the MNI152 maps that nilearn installs (Fonov et al. 2011), cropped to the brain."""
    mask, affine = _load(datasets.load_mni152_brain_mask)
    inside = mask > 0.5
    box = tuple(slice(i.min(), i.max() + 1) for i in np.nonzero(inside))
    grey = _load(datasets.load_mni152_gm_template)[0][box]
    white = _load(datasets.load_mni152_wm_template)[0][box]
    origin = affine[:3, 3] + RESOLUTION * (np.array([b.start for b in box]) - MARGIN)
    grey, white, inside = (np.pad(m, MARGIN) for m in (*sharpen(grey, white), inside[box]))
    surface = signed_distance(inside)
    ventricles = _ventricles(np.where(inside, 1 - grey - white, 0), surface, origin)
    maps = np.stack([grey, white, surface, signed_distance(ventricles)])
    return Template(torch.from_numpy(maps.astype(np.float32)), origin)


def sharpen(grey, white):
    """Undo some of the average over people: each voxel leans to its likelier tissue."""
    fluid = np.clip(1 - grey - white, 0, 1)
    powers = [np.clip(f, 0, 1) ** 2.5 for f in (grey, white, fluid)]
    return [power / sum(powers) for power in powers[:2]]


def signed_distance(region):
    """Distance in mm of each voxel's centre to a region's border, negative inside."""
    outside = ndimage.distance_transform_edt(~region, sampling=RESOLUTION)
    inside = ndimage.distance_transform_edt(region, sampling=RESOLUTION)
    # Both count from centre to centre, half a voxel beyond the border. The filter takes the
    # voxels' steps off the border.
    step = np.where(region, RESOLUTION / 2, -RESOLUTION / 2)
    return ndimage.gaussian_filter(outside - inside + step, 0.7)


def _load(loader):
    """Load a map at its own 1 mm and average it over voxels of `RESOLUTION`."""
    image = loader(resolution=1)
    fine = image.get_fdata(dtype=np.float32)
    fine = fine[tuple(slice(n - n % RESOLUTION) for n in fine.shape)]
    blocks = [count for n in fine.shape for count in (n // RESOLUTION, RESOLUTION)]
    affine = image.affine.copy()
    affine[:3, 3] += (RESOLUTION - 1) / 2
    return fine.reshape(blocks).mean((1, 3, 5)), affine


def _ventricles(fluid, surface, origin):
    """Largest fluid space deep in the brain: the lateral ventricles and the third."""
    deep = (fluid > 0.5) & (surface < -16)
    for axis, (low, high) in enumerate(VENTRICLE_BOX):
        position = origin[axis] + RESOLUTION * np.arange(deep.shape[axis])
        shape = [-1 if a == axis else 1 for a in range(3)]
        deep &= ((position >= low) & (position <= high)).reshape(shape)
    labels, _ = ndimage.label(deep)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == sizes.argmax()
