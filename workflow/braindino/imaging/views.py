"""From a stripped, cropped brain to the input of an encoder."""

import nibabel as nib
import numpy as np
import torch
import torch.nn.functional as F

from braindino.imaging.normalise import axial_slices, z_score
from braindino.imaging.volume import spacing_of


def encoder_input(brain, affine, view, protocol):
    """Turn a brain into what an encoder's card asks for, one channel of it.

    Parameters
    ----------
    brain : ndarray [x, y, z]
        RAS+ intensities, cropped to the brain, zero outside it.
    affine : ndarray [4, 4]
        Voxel to world (mm, RAS+).
    view : braindino.settings.views.SliceView or VolumeView
    protocol : braindino.settings.imaging.Imaging

    Returns
    -------
    Tensor [slices, rows, columns] or of `view.size`, float32
    """
    if view.kind == "slices":
        return slice_view(brain, view, protocol)
    return torch.from_numpy(volume_view(brain, affine, view))


def slice_view(brain, view, protocol):
    """Turn a brain into the slices of a 2-D encoder, [axial, rows, columns], float32."""
    planes, *size = protocol.evaluation_shape
    slices = axial_slices(brain, (planes, *(view.size or size)), protocol)
    return _to_unit(slices) if view.intensity == "unit" else slices


def _to_unit(slices):
    """Scale the brain's z-scores to 0 and 1; the background stays zero, which is black."""
    brain = slices != 0
    low, high = slices.min(), slices.max()
    return (slices - low) / (high - low).clamp_min(1e-8) * brain


def volume_view(brain, affine, view):
    """Turn a brain into the volume of a 3-D encoder.

    The brain is what `strip_chunk` wrote, from which the 2-D slices come as well, so that a scan
    is read and stripped once. Its box is the foreground crop that some encoders ask for.

    Parameters
    ----------
    brain : ndarray [x, y, z]
        Intensities, cropped to the brain, zero outside it.
    affine : ndarray [4, 4]
        Voxel to world (mm, RAS+).
    view : braindino.settings.views.VolumeView

    Returns
    -------
    ndarray of `view.size`, float32
        Axes in the order and direction of `view.axcodes`.
    """
    volume, spacing = _reorient(brain, affine, view.axcodes)
    if view.spacing:
        volume = _resample(volume, spacing, view.spacing)
    if view.percentiles:
        low, high = np.percentile(volume, view.percentiles).tolist()
        volume = np.clip(volume, low, high)
    if view.intensity == "unit":
        volume = (volume - low) / max(high - low, 1e-8)
    volume = {"crop": _crop_or_pad, "resize": _resize}[view.fit](volume, view.size)
    return volume if view.intensity == "unit" else z_score(torch.from_numpy(volume)).numpy()


def _reorient(brain, affine, axcodes):
    image = nib.Nifti1Image(np.asarray(brain, np.float32), affine)
    stored = nib.io_orientation(affine)
    wanted = nib.orientations.axcodes2ornt(axcodes)
    image = image.as_reoriented(nib.orientations.ornt_transform(stored, wanted))
    return np.ascontiguousarray(image.dataobj), spacing_of(image.affine)


def _resample(volume, spacing, target):
    """Resample linearly from the first voxel's centre on, as MONAI's Spacing does."""
    for axis, step in enumerate(target / spacing):
        last = volume.shape[axis] - 1
        samples = np.arange(round(last / step + 1))
        # A sample on a voxel takes nothing from the next: noise would turn background to brain.
        place = np.minimum(np.round(samples * step, 5), last)
        low = place.astype(int)
        along = [-1 if a == axis else 1 for a in range(3)]
        weight = (place - low).astype(np.float32).reshape(along)
        below, above = (volume.take(i, axis) for i in (low, np.minimum(low + 1, last)))
        volume = below + weight * (above - below)
    return volume


def _crop_or_pad(volume, size):
    missing = [max(wanted - n, 0) for n, wanted in zip(volume.shape, size, strict=True)]
    volume = np.pad(volume, [(m // 2, m - m // 2) for m in missing])
    starts = [n // 2 - wanted // 2 for n, wanted in zip(volume.shape, size, strict=True)]
    box = tuple(slice(start, start + n) for start, n in zip(starts, size, strict=True))
    return np.ascontiguousarray(volume[box])


def _resize(volume, size):
    batch = torch.from_numpy(volume)[None, None]
    return F.interpolate(batch, size=size, mode="trilinear", align_corners=False)[0, 0].numpy()
