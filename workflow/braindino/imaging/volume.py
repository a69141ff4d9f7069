"""Read a volume into canonical orientation, or say in one sentence why it cannot be used."""

from pathlib import Path

import nibabel as nib
import numpy as np

from braindino.errors import BadInput


def read_canonical(path, min_voxels=1, axial="nearest"):
    """Read a NIfTI volume as RAS+: x to the right, y to the front, z to the top.

    The file's axes are permuted and flipped to the closest anatomical ones.

    Parameters
    ----------
    path : path
        `.nii` or `.nii.gz`, 3-D, or 4-D with one frame.
    min_voxels : int
        Least voxels along each axis.
    axial : {"nearest", "world"}
        What axial means in an oblique volume: the nearest plane of its own grid, which leaves
        every intensity as it was, or the scanner's, to which it is resampled linearly.

    Returns
    -------
    volume : ndarray [x, y, z]
        Scaled intensities; the file's own integer type where it has no scaling, else float32.
    affine : ndarray [4, 4]
        Voxel to world (mm, RAS+).

    Raises
    ------
    BadInput
        When the file is unreadable, not one volume, without a usable affine, not finite, or
        constant.
    """
    try:
        Path(path).open("rb").close()  # nibabel would not say why it may not read a file
        image = nib.squeeze_image(nib.load(path, mmap=False))
        if image.ndim != 3:
            raise BadInput(f"has shape {image.shape}, not one 3-D volume")
        if image.get_data_dtype().kind not in "iuf":
            raise BadInput(f"holds {image.get_data_dtype()} voxels, not one intensity each")
        _check_axes(image)
        image = nib.as_closest_canonical(image)
        if axial == "world":
            image = _to_world_axes(image)
        volume = np.asanyarray(image.dataobj)
    except BadInput:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadInput(f"cannot be read ({reason})") from error
    small_integer = np.issubdtype(volume.dtype, np.integer) and volume.dtype.itemsize <= 4
    kept = volume.dtype.newbyteorder("=") if small_integer else np.float32
    volume = volume.astype(kept, copy=False)
    _check(volume, min_voxels)
    return volume, image.affine


def _to_world_axes(image):
    from nibabel.processing import resample_to_output  # slow to import, seldom needed

    return resample_to_output(image, spacing_of(image.affine), order=1)


def _check_axes(image):
    """Refuse a file that does not say where its axes point: its slices might lie on their side."""
    header = image.header
    if isinstance(header, nib.Nifti1Header) and not header["sform_code"] + header["qform_code"]:
        raise BadInput("has neither sform nor qform, so its orientation is unknown; set one")
    if np.linalg.det(image.affine[:3, :3]) == 0:
        raise BadInput("has a singular affine, so its orientation is unknown; mend its header")


def _check(volume, min_voxels):
    if min(volume.shape) < min_voxels:
        raise BadInput(f"has shape {volume.shape}; fewer than {min_voxels} voxels along an axis")
    # Both are NaN where a voxel is, so no third pass is needed.
    low, high = volume.min(), volume.max()
    if not np.isfinite([low, high]).all():
        raise BadInput("has NaN or infinite voxels")
    if low == high:
        raise BadInput(f"is constant ({low})")


def spacing_of(affine):
    """Return the voxel spacing (mm) along x, y and z."""
    return nib.affines.voxel_sizes(affine)


def crop(volume, affine, box):
    """Crop to `box`, a slice an axis; the affine keeps every voxel where it was."""
    start = [side.start for side in box]
    shifted = affine.copy()
    shifted[:3, 3] = nib.affines.apply_affine(affine, start)
    return volume[box], shifted
