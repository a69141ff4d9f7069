import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from braindino.corpus.stripped import nonzero_box
from braindino.errors import BadInput
from braindino.imaging.volume import crop, read_canonical, spacing_of

OBLIQUE = np.array([[0.9, 0.1, 0, -20], [-0.1, 0.9, 0, -30], [0, 0, 2.5, -10], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("axcodes", ["RAS", "LPS", "LAS", "PSR", "IPL", "SRA"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_any_axes_come_out_as_ras(axcodes, suffix, save_volume, rng):
    volume = rng.integers(0, 999, (9, 10, 11)).astype(np.int16)
    image = nib.Nifti1Image(volume, np.diag([1, 2, 3, 1]))
    target = nib.orientations.axcodes2ornt(axcodes)
    turned = image.as_reoriented(
        nib.orientations.ornt_transform(nib.io_orientation(image.affine), target)
    )
    path = save_volume(np.asarray(turned.dataobj), f"{axcodes}{suffix}", turned.affine)
    read, affine = read_canonical(path)
    np.testing.assert_array_equal(read, volume)
    np.testing.assert_allclose(spacing_of(affine), (1, 2, 3))
    assert nib.aff2axcodes(affine) == ("R", "A", "S")


def test_voxels_stay_where_simpleitk_says_they_are(save_volume, rng):
    volume = rng.integers(0, 999, (9, 10, 11)).astype(np.int16)
    flipped = OBLIQUE @ np.diag([-1, 1, -1, 1])
    path = save_volume(volume, affine=flipped)
    read, affine = read_canonical(path)
    image = sitk.ReadImage(str(path))
    for index in ((0, 0, 0), (3, 7, 2), (8, 9, 10)):
        ras = nib.affines.apply_affine(affine, index)
        # SimpleITK's world is LPS.
        there = image.TransformPhysicalPointToIndex((-ras[0], -ras[1], ras[2]))
        assert read[index] == image[there]


def test_scale_and_offset_are_applied(tmp_path):
    stored = np.arange(8**3, dtype=np.int16).reshape(8, 8, 8)
    image = nib.Nifti1Image(stored, np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / "scaled.nii.gz")
    # What matters is what the header says on disk, whatever the writer did.
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "scaled.nii.gz"))).T
    read, _ = read_canonical(tmp_path / "scaled.nii.gz")
    np.testing.assert_allclose(read, expected, rtol=1e-6)


def test_big_endian_and_four_dimensions_with_one_frame(tmp_path, rng):
    volume = rng.integers(0, 999, (9, 10, 11, 1)).astype(">i2")
    image = nib.Nifti1Image(volume, np.eye(4), nib.Nifti1Header(endianness=">"))
    nib.save(image, tmp_path / "big.nii")
    read, _ = read_canonical(tmp_path / "big.nii")
    np.testing.assert_array_equal(read, volume[..., 0])
    assert read.dtype.isnative


def test_crop_keeps_the_world_position():
    volume = np.zeros((10, 11, 12))
    volume[3:6, 4:9, 5:7] = 1
    part, affine = crop(volume, OBLIQUE, nonzero_box(volume))
    assert part.shape == (3, 5, 2)
    assert part.all()
    np.testing.assert_allclose(
        nib.affines.apply_affine(affine, (0, 0, 0)), nib.affines.apply_affine(OBLIQUE, (3, 4, 5))
    )


def broken_files(folder):
    good = np.ones((9, 9, 9), np.float32)
    good[0] = 2

    def save(name, volume):
        nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / name)
        return folder / name

    truncated = save("truncated.nii.gz", np.random.default_rng(0).random((20, 20, 20)))
    truncated.write_bytes(truncated.read_bytes()[:5000])
    (folder / "empty.nii.gz").write_bytes(b"")
    (folder / "text.nii.gz").write_bytes(gzip.compress(b"not an image"))
    (folder / "folder.nii.gz").mkdir()
    nan, infinite = good.copy(), good.copy()
    nan[4, 4, 4], infinite[4, 4, 4] = np.nan, np.inf
    save("nan.nii.gz", nan)
    save("infinite.nii.gz", infinite)
    save("zero.nii.gz", np.zeros((9, 9, 9), np.int16))
    save("constant.nii.gz", np.full((9, 9, 9), 7, np.int16))
    save("frames.nii.gz", np.random.default_rng(0).random((9, 9, 9, 30)).astype(np.float32))
    save("complex.nii.gz", np.random.default_rng(0).random((9, 9, 9)).astype(np.complex64))
    save("thin.nii.gz", np.random.default_rng(0).random((9, 9, 3)).astype(np.float32))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated", "cannot be read"),
        ("empty", "cannot be read"),
        ("text", "cannot be read"),
        ("folder", "cannot be read"),
        ("absent", "cannot be read"),
        ("nan", "NaN or infinite"),
        ("infinite", "NaN or infinite"),
        ("zero", "is constant"),
        ("constant", "is constant"),
        ("frames", r"shape \(9, 9, 9, 30\), not one 3-D volume"),
        ("complex", "holds complex64 voxels"),
        ("thin", "fewer than 8 voxels"),
    ],
)
def test_a_scan_that_cannot_be_used_says_why(name, reason, tmp_path):
    broken_files(tmp_path)
    with pytest.raises(BadInput, match=reason) as error:
        read_canonical(tmp_path / f"{name}.nii.gz", min_voxels=8)
    assert "\n" not in str(error.value)
