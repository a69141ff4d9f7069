"""From a stripped, cropped brain to normalised axial slices (paper §4.1.2 and §4.3)."""

import numpy as np
import torch
import torch.nn.functional as F

from braindino.seeds import derive_rng


def axial_slices(brain, shape, protocol):
    """Resample a brain to a fixed grid and normalise its intensities.

    Steps and order are §4.1.2's: resize, clip to percentiles, z-score by the non-zero voxels.
    Resizing is trilinear with voxel centres aligned at half steps, and the background stays at
    zero after the z-score (both `assumed`; MONAI's Resize and NormalizeIntensity do the same).

    Parameters
    ----------
    brain : ndarray [x, y, z]
        RAS+ intensities, cropped to the brain, zero outside it.
    shape : tuple of 3 ints
        Axial, coronal and sagittal planes of the result.
    protocol : braindino.settings.imaging.Imaging

    Returns
    -------
    Tensor [axial, coronal, sagittal], float32
        Slices from inferior to superior; rows from front to back, columns from the patient's
        left to right, so that a printed slice is upright (neurological convention).
    """
    # Front to back is against y, so that row 0 is the forehead.
    upright = np.ascontiguousarray(brain.transpose(2, 1, 0)[:, ::-1], dtype=np.float32)
    volume = torch.from_numpy(upright)[None, None]
    volume = F.interpolate(volume, size=tuple(shape), mode="trilinear", align_corners=False)[0, 0]
    return z_score(clip_percentiles(volume, protocol))


def clip_percentiles(volume, protocol):
    """Clip intensities to the protocol's percentiles; the background stays zero."""
    brain = volume != 0
    domain = volume[brain] if protocol.clip_domain == "nonzero" else volume.flatten()
    low, high = np.percentile(domain.numpy(), protocol.clip_percentiles)
    return torch.where(brain, volume.clamp(float(low), float(high)), 0)


def z_score(volume):
    """Subtract the mean and divide by the SD of the non-zero voxels; the rest stay zero."""
    brain = volume != 0
    count = brain.sum()
    # Zeros add nothing to either sum, so the voxels need not be gathered.
    mean = volume.sum(dtype=torch.float64) / count
    variance = volume.square().sum(dtype=torch.float64) / count - mean**2
    scale = 1 / variance.clamp_min(1e-16).sqrt()
    return torch.where(brain, (volume - mean.float()).mul_(scale.float()), 0)


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
