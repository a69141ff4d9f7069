"""From a stripped, cropped brain to normalised axial slices (paper §4.1.2 and §4.3)."""

import numpy as np
import torch
import torch.nn.functional as F

from braindino.imaging.percentiles import percentiles
from braindino.seeds import derive_rng


def axial_slices(brain, shape, protocol, index=slice(None)):
    """Resample a brain to a fixed grid and normalise its intensities.

    Steps and order are §4.1.2's: resize, clip to percentiles, z-score by the non-zero voxels.
    Voxel centres are aligned at half steps, and the background stays at zero after the z-score
    (both `assumed`; MONAI's Resize and NormalizeIntensity do the same).

    Parameters
    ----------
    brain : ndarray [x, y, z]
        RAS+ intensities, cropped to the brain, zero outside it.
    shape : tuple of 3 ints
        Axial, coronal and sagittal planes of the result.
    protocol : braindino.settings.imaging.Imaging
    index : slice or ndarray of int
        The axial planes to return, all by default. Statistics are the whole volume's.

    Returns
    -------
    Tensor [axial, coronal, sagittal], float32
        Slices from inferior to superior; rows from front to back, columns from the patient's
        left to right, so that a printed slice is upright (neurological convention).
    """
    # Front to back is against y, so that row 0 is the forehead.
    upright = np.ascontiguousarray(brain.transpose(2, 1, 0)[:, ::-1], dtype=np.float32)
    volume = resize(torch.from_numpy(upright), shape, protocol.interpolation)
    _clip(volume.numpy(), protocol)
    return _standardise(volume[index], *_moments(volume))


def resize(volume, shape, interpolation):
    """Resample [planes, rows, columns] to `shape`, in the planes and then across them.

    Both interpolations are products of one-dimensional ones, so the order changes only rounding.
    Each axis's weights are torch's own: across the planes, those of a resized identity matrix.
    """
    mode = {"linear": "bilinear", "cubic": "bicubic"}[interpolation]

    def plane_to(size, planes):
        return F.interpolate(planes[None], size=size, mode=mode, align_corners=False)[0]

    depth = len(volume)
    weights = plane_to((shape[0], depth), torch.eye(depth)[None])[0]
    return (weights @ plane_to(shape[1:], volume).flatten(1)).view(*shape)


def z_score(volume):
    """Subtract the mean and divide by the SD of the non-zero voxels; the rest stay zero."""
    return _standardise(volume.clone(), *_moments(volume))


# Both loops below go plane by plane because a plane fits the cache and a volume does not.


def _clip(volume, protocol):
    """Clip to the protocol's percentiles in place; the background stays zero."""
    nonzero = protocol.clip_domain == "nonzero"
    limits = percentiles(volume, protocol.clip_percentiles, nonzero)
    for plane in volume:
        brain = plane != 0
        np.clip(plane, *limits, out=plane)
        plane *= brain


def _moments(volume):
    """Return mean and SD of the non-zero voxels; zeros add nothing to either sum."""
    planes = volume.flatten(1)
    count = planes.count_nonzero()
    mean = planes.sum(1).double().sum() / count
    square = torch.linalg.vector_norm(planes, dim=1).double().square().sum() / count
    return mean.item(), (square - mean**2).clamp_min(1e-16).sqrt().item()


def _standardise(volume, mean, sd):
    for plane in volume.numpy():
        brain = plane != 0
        np.subtract(plane, mean, out=plane)
        plane *= brain / np.float32(sd)
    return volume


def draw_slices(volume_id, protocol, seed):
    """Draw the axial slices of a volume that enter pretraining (§4.1.2: N(128, 50)).

    Parameters
    ----------
    volume_id : str
        Seeds the draw, so that it does not depend on what else is processed.
    protocol : braindino.settings.imaging.Imaging
    seed : int

    Returns
    -------
    ndarray of int
        Sorted slice indices.
    """
    index = np.arange(protocol.shape[0])
    weights = np.exp(-0.5 * ((index - protocol.slice_mean) / protocol.slice_sd) ** 2)
    rng = derive_rng(seed, volume_id, "slices")
    size, replace = protocol.slices, protocol.slice_replacement
    return np.sort(rng.choice(index, size, replace=replace, p=weights / weights.sum()))
