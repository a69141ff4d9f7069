"""Read a volume into canonical orientation, or say in one sentence why it cannot be used."""

import nibabel as nib
import numpy as np

from braindino.errors import BadInput


def read_canonical(path, min_voxels=1):
    """Read a NIfTI volume as RAS+: x to the right, y to the front, z to the top.

    The file's axes are permuted and flipped to the closest anatomical ones; an oblique volume is
    not resampled, so axial means its plane nearest to axial (`assumed`: the paper does not say).

    Parameters
    ----------
    path : path
        `.nii` or `.nii.gz`, 3-D, or 4-D with one frame.
    min_voxels : int
        Least voxels along each axis.

    Returns
    -------
    volume : ndarray [x, y, z]
        Scaled intensities; the file's own integer type where it has no scaling, else float32.
    affine : ndarray [4, 4]
        Voxel to world (mm, RAS+).

    Raises
    ------
    BadInput
        When the file is unreadable, not one volume, not finite, or constant.
    """
    try:
        image = nib.squeeze_image(nib.load(path))
        if image.ndim != 3:
            raise BadInput(f"has shape {image.shape}, not one 3-D volume")
        image = nib.as_closest_canonical(image)
        volume = np.asanyarray(image.dataobj)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"cannot be read ({' '.join(str(error).split())[:200]})") from error
    small_integer = np.issubdtype(volume.dtype, np.integer) and volume.dtype.itemsize <= 4
    volume = volume.astype(volume.dtype.newbyteorder("=") if small_integer else np.float32)
    _check(volume, min_voxels)
    return volume, image.affine


def _check(volume, min_voxels):
    if min(volume.shape) < min_voxels:
        raise BadInput(f"has shape {volume.shape}; fewer than {min_voxels} voxels along an axis")
    if not np.isfinite(volume).all():
        raise BadInput("has NaN or infinite voxels")
    if volume.min() == volume.max():
        raise BadInput(f"is constant ({volume.flat[0]})")


def spacing_of(affine):
    """Return the voxel spacing (mm) along x, y and z."""
    return nib.affines.voxel_sizes(affine)


def crop(volume, affine, box):
    """Crop to `box`, a slice an axis; the affine keeps every voxel where it was."""
    start = [side.start for side in box]
    shifted = affine.copy()
    shifted[:3, 3] = nib.affines.apply_affine(affine, start)
    return volume[box], shifted
