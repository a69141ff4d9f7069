"""Geometry and intensities against MONAI, nilearn and SimpleITK."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from monai import transforms as mt
from nilearn.image import reorder_img

from braindino.corpus.stripped import nonzero_box
from braindino.imaging.normalise import axial_slices
from braindino.imaging.volume import crop, read_canonical, spacing_of
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging()
SPACING = (0.9, 0.9, 5.5)
BRIGHT = (3, 7, 12)


def rotation(degrees, axes):
    angle = np.deg2rad(degrees)
    matrix = np.eye(4)
    matrix[np.ix_(axes, axes)] = [
        [np.cos(angle), -np.sin(angle)],
        [np.sin(angle), np.cos(angle)],
    ]
    return matrix


STRAIGHT = nib.affines.from_matvec(np.diag(SPACING), (-20, -30, -10))
OBLIQUE = rotation(20, [1, 2]) @ rotation(-15, [0, 1]) @ STRAIGHT
AFFINES = {
    "straight": STRAIGHT,
    "flipped": STRAIGHT @ np.diag([-1, 1, -1, 1]),
    "oblique": OBLIQUE,
    "oblique, flipped and permuted": OBLIQUE[:, [2, 0, 1, 3]] @ np.diag([-1, -1, 1, 1]),
}


@pytest.fixture(params=AFFINES)
def affine(request):
    return AFFINES[request.param]


@pytest.fixture(params=["int16.nii.gz", "int16.nii", "scaled.nii.gz", "big-endian.nii", "4-D.nii"])
def scan(request, affine, tmp_path, rng):
    """A stack of 20 slices with one bright voxel, as file."""
    volume = rng.integers(1, 900, (14, 15, 20)).astype(np.int16)
    volume[BRIGHT] = 2000
    kind = request.param.split(".")[0]
    header = nib.Nifti1Header(endianness=">" if kind == "big-endian" else "<")
    header.set_data_dtype(np.int16)
    stored = volume[..., None] if kind == "4-D" else volume
    if kind == "scaled":
        header.set_slope_inter(0.25, -7)
        stored = stored * 0.25 - 7
    path = tmp_path / request.param
    nib.save(nib.Nifti1Image(stored, affine, header), path)
    return path


def test_file_kinds_are_what_they_say(scan):
    image = nib.load(scan)
    assert image.get_data_dtype() == (">i2" if "big" in scan.name else "<i2")
    assert (image.dataobj.slope != 1) == ("scaled" in scan.name)
    assert image.ndim == (4 if "4-D" in scan.name else 3)


def test_same_voxels_and_affine_as_monai(scan):
    volume, affine = read_canonical(scan)
    theirs = mt.LoadImage(ensure_channel_first=True)(scan)
    theirs = mt.Orientation("RAS", labels=None)(theirs)
    np.testing.assert_allclose(volume, theirs[0].numpy(), rtol=1e-6)
    np.testing.assert_allclose(affine, theirs.affine.numpy(), atol=1e-5)


def test_bright_voxel_stays_where_simpleitk_sees_it(scan, affine):
    volume, ours = read_canonical(scan)
    image = sitk.ReadImage(str(scan))
    array = sitk.GetArrayFromImage(image)
    if array.ndim == 4:
        image, array = image[..., 0], array[0]
    index = np.unravel_index(array.argmax(), array.shape)[::-1]
    # SimpleITK's world is LPS.
    seen = np.multiply(image.TransformIndexToPhysicalPoint([int(i) for i in index]), (-1, -1, 1))
    found = np.unravel_index(volume.argmax(), volume.shape)
    np.testing.assert_allclose(nib.affines.apply_affine(ours, found), seen, atol=1e-3)
    np.testing.assert_allclose(nib.affines.apply_affine(affine, BRIGHT), seen, atol=1e-3)
    assert volume[found] == array.max()
    assert nib.aff2axcodes(ours) == ("R", "A", "S")


@pytest.mark.parametrize("name", ["straight", "flipped"])
def test_same_voxels_as_nilearn_where_it_only_reorders(name, save_volume, rng):
    path = save_volume(rng.integers(0, 999, (9, 10, 11)).astype(np.int16), affine=AFFINES[name])
    volume, affine = read_canonical(path)
    theirs = reorder_img(nib.load(path), copy_header=True)
    np.testing.assert_array_equal(volume, theirs.get_fdata())
    np.testing.assert_allclose(affine, theirs.affine)


def as_simpleitk(volume, affine):
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.T, dtype=np.float32))
    spacing = spacing_of(affine)
    lps = np.diag([-1, -1, 1]) @ affine[:3]
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
    return image


def resampled_by_simpleitk(image, affine, shape):
    grid = as_simpleitk(np.zeros(shape), affine)
    return sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear)).T


def test_thick_slices_are_resampled_as_simpleitk_does(rng):
    """0.9 × 0.9 × 5.5 mm, 20 slices, oblique; our grid divides the same box evenly."""
    brain = rng.integers(50, 999, (24, 30, 20)).astype(np.int16)
    shape = (64, 40, 48)
    protocol = PROTOCOL.model_copy(update={"clip_percentiles": (0, 100)})
    ours = axial_slices(brain, shape, protocol).numpy()[:, ::-1].T
    ratio = np.divide(brain.shape, shape[::-1])
    grid = OBLIQUE @ nib.affines.from_matvec(np.diag(ratio), ratio / 2 - 0.5)
    theirs = resampled_by_simpleitk(as_simpleitk(brain, OBLIQUE), grid, shape[::-1])
    # Half a voxel at the border lies outside of SimpleITK's image.
    inner = (slice(2, -2),) * 3
    a, b = ours[inner].ravel(), theirs[inner].ravel()
    slope, offset = np.polyfit(b, a, 1)
    np.testing.assert_allclose(a, slope * b + offset, atol=1e-4)


def test_axial_of_the_scanner_is_resampled_as_simpleitk_does(scan):
    """The straight grid covers the oblique box; the voxels keep their place in the world."""
    own, own_affine = read_canonical(scan)
    volume, affine = read_canonical(scan, axial="world")
    np.testing.assert_allclose(affine[:3, :3], np.diag(spacing_of(own_affine)), atol=1e-5)
    theirs = resampled_by_simpleitk(as_simpleitk(own, own_affine), affine, volume.shape)
    both = (volume != 0) & (theirs != 0)
    assert both.mean() > 0.1
    # Where a voxel's neighbours reach outside, the two pad differently.
    close = np.isclose(volume[both], theirs[both], atol=1)
    assert close.mean() > 0.99


def test_crop_and_slices_keep_a_real_brain_as_monai_does(real_data):
    path = real_data / "ds002748" / "sub-03" / "anat" / "sub-03_T1w.nii.gz"
    volume, affine = read_canonical(path)
    brain, _ = crop(volume, affine, nonzero_box(volume))
    protocol = PROTOCOL.model_copy(update={"clip_domain": "all"})
    ours = axial_slices(brain, (64, 64, 64), protocol).numpy()
    chain = mt.Compose(
        [
            mt.LoadImage(ensure_channel_first=True),
            mt.Orientation("RAS", labels=None),
            mt.CropForeground(allow_smaller=True),
            mt.Resize((64, 64, 64), mode="trilinear"),
            mt.ClipIntensityPercentiles(0.5, 99.5),
            mt.NormalizeIntensity(nonzero=True),
        ]
    )
    theirs = chain(path)[0].numpy().transpose(2, 1, 0)[:, ::-1]
    assert np.percentile(np.abs(ours - theirs), 99.9) < 1e-2
