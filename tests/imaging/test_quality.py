import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import ndimage, stats

from braindino.imaging import brains
from braindino.imaging.brains import strip_chunk
from braindino.imaging.quality import MEASURES, border_share, find_outliers, measures, robust_z
from braindino.imaging.thumbnails import MARGIN_MM, thumbnail
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging()
SPACING = (1.0, 2.0, 1.5)
FACE = 1000


def ball(shape, centre, radius, spacing=SPACING):
    """Voxels within `radius` millimetres of a voxel."""
    away = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return np.linalg.norm(away * np.reshape(spacing, (3, 1, 1, 1)), axis=0) <= radius


@pytest.fixture
def head(rng):
    """A brain of 30 mm radius under 20 mm of scalp; what is further than 12 mm is the face."""
    shape = (110, 56, 74)
    centre = (55, 28, 37)
    mask, scalp = ball(shape, centre, 30), ball(shape, centre, 50)
    raw = np.where(mask, rng.integers(80, 120, shape), np.where(scalp, 90, 0))
    near = ndimage.distance_transform_edt(~mask, sampling=SPACING) <= MARGIN_MM
    return np.where(scalp & ~near, FACE, raw).astype(np.int16), mask


def draw(raw, mask):
    box = ndimage.find_objects(mask.astype(int))[0]
    return thumbnail(raw, mask, np.where(mask, raw, 0)[box], SPACING, (80, 120), PROTOCOL)


def test_no_voxel_of_the_face_is_in_a_picture(head):
    raw, mask = head
    faceless = np.where(raw == FACE, 0, raw)
    for ours, theirs in zip(draw(raw, mask), draw(faceless, mask), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert draw(raw, mask).raw.any()


def test_a_plane_that_misses_the_brain_is_blank(head):
    """The mass of two balls has its centre between them, where there is only scalp."""
    raw, _ = head
    mask = ball(raw.shape, (20, 28, 37), 12) | ball(raw.shape, (90, 28, 37), 12)
    sagittal = draw(raw, mask).raw[2]
    assert not sagittal.any()


def test_outline_and_picture_have_true_proportions(head):
    masks = draw(*head).mask
    for mask in masks:  # a ball is round in every plane, though its voxels are not cubes
        height, width = (np.ptp(np.flatnonzero(mask.any(axis))) for axis in (1, 0))
        assert height == pytest.approx(width, rel=0.05)


def test_a_whole_head_called_stripped_is_not_shown(head, save_volume, tmp_path):
    raw, _ = head
    raw = np.where(raw == 0, 1, raw)
    path = save_volume(raw, affine=np.diag([*SPACING, 1]))
    chunk = pd.DataFrame(
        [("lab/1/1/T1w", "1", "T1w", str(path), True)],
        columns=["volume_id", "subject", "modality", "path", "skull_stripped"],
    )
    index, _, (picture,) = strip_chunk(chunk, tmp_path / "out", PROTOCOL, torch.device("cpu"))
    assert len(index) == 1 and index["border_share"].item() == 1
    assert not picture.raw.any() and not picture.slices.any() and picture.before.any()


def test_histograms_count_every_voxel_between_the_limits(head):
    raw, mask = head
    picture = draw(raw, mask)
    assert picture.before.sum() == np.count_nonzero(mask & (raw >= 80) & (raw <= 120))
    centres = np.linspace(-5, 5, 129)[1::2]
    mean = np.average(centres, weights=picture.after)
    assert mean == pytest.approx(0, abs=0.05)  # z-scored
    assert np.average((centres - mean) ** 2, weights=picture.after) == pytest.approx(1, abs=0.05)


def test_border_share_by_hand():
    mask = np.zeros((4, 5, 6), bool)
    mask[1:3, 1:3, 1:3] = True
    assert border_share(mask, SPACING) == 0
    assert border_share(np.ones((4, 5, 6), bool), SPACING) == 1
    mask[0] = mask[1]  # 3 × 2 × 2 voxels, one end of 2 × 2 facets at x = 0
    facets = {"x": 2 * 1.5 * 4, "y": 1 * 1.5 * 6, "z": 1 * 2 * 6}
    assert border_share(mask, SPACING) == pytest.approx(facets["x"] / (2 * sum(facets.values())))


def test_measures_by_hand():
    raw = np.zeros((8, 9, 10), np.int16)
    raw[2:6, 3:5, 1:4] = np.arange(1, 25).reshape(4, 2, 3)
    mask = raw > 0
    found = measures(raw, mask, raw[2:6, 3:5, 1:4], np.diag([*SPACING, 1]), PROTOCOL)
    assert (found["width_mm"], found["length_mm"], found["height_mm"]) == (4, 4, 4.5)
    assert found["brain_ml"] == round(24 * 3 / 1000, 1)
    assert found["intensity_median"] == 12.5
    assert (found["intensity_low"], found["intensity_high"]) == pytest.approx((1.115, 23.885))


def test_robust_z_agrees_with_scipy(rng):
    values = rng.normal(1300, 100, 200)
    expected = (values - np.median(values)) / stats.median_abs_deviation(values, scale="normal")
    np.testing.assert_allclose(robust_z(values), expected, rtol=1e-4)


def cohort(rng, count=40, **columns):
    values = {name: rng.uniform(95, 105, count) for name in MEASURES}
    rows = pd.DataFrame(values | {"border_share": 0.0} | columns)
    return rows.assign(
        volume_id=[f"lab/{i}/1/T1w" for i in range(count)], dataset="lab", modality="T1w"
    )


def test_an_outlier_is_told_in_words_and_its_equals_are_not(rng):
    volumes = np.full(40, 1320.0) + rng.uniform(-100, 100, 40)
    volumes[6] = 640
    (row,) = find_outliers(cohort(rng, brain_ml=volumes)).itertuples()
    median = np.median(volumes)
    assert (row.number, row.volume_id, row.measure) == (7, "lab/6/1/T1w", "brain_ml")
    assert row.reason == f"brain volume 640 ml, cohort's median {median:,.0f} ml"
    assert row.z < -3.5


def test_contrasts_are_not_compared_with_each_other(rng):
    index = cohort(rng, intensity_median=np.repeat([100.0, 900.0], 20) + rng.random(40))
    index["modality"] = np.repeat(["T1w", "FLAIR"], 20)
    assert find_outliers(index).empty


@pytest.mark.parametrize(("share", "found"), [(0.002, 0), (0.05, 1)])
def test_a_cut_brain_stands_out_where_no_other_is_cut(rng, share, found):
    shares = np.where(np.arange(40) == 3, share, 0)
    assert len(find_outliers(cohort(rng, border_share=shares))) == found


def test_few_volumes_have_no_outliers(rng):
    few = cohort(rng, 9, brain_ml=np.array([1.0] * 8 + [99]))
    assert find_outliers(few).empty and list(find_outliers(few)) == list(find_outliers(few[:0]))


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_neither_order_nor_bytes(head, save_volume, tmp_path, monkeypatch, workers):
    """Scans are read, stripped and written at once; the network is replaced by the true mask."""
    raw, mask = head

    class Truth:
        def brain_mask(self, volume, spacing):
            if volume.max() == 1:
                return np.zeros_like(volume, bool)
            return mask

    monkeypatch.setattr(brains, "load_backend", lambda protocol, device: Truth())
    scans = [raw, raw * 2, (raw > 0).astype(np.int16), raw * 3, raw * 4]
    rows = [
        (f"lab/{n}/1/T1w", f"{n}", "T1w", str(save_volume(scan, f"{n}.nii.gz")), False)
        for n, scan in enumerate(scans)
    ]
    columns = ["volume_id", "subject", "modality", "path", "skull_stripped"]
    chunk = pd.DataFrame(rows, columns=columns)
    cpu = torch.device("cpu")
    index, rejects, pictures = strip_chunk(chunk, tmp_path / "out", PROTOCOL, cpu, workers)
    assert list(index["subject"]) == ["0", "1", "3", "4"] and len(pictures) == 4
    assert list(rejects["volume_id"]) == ["lab/2/1/T1w"]
    assert "HD-BET found no brain" in rejects["reason"].item()
    for gain, file in zip((1, 2, 3, 4), index["file"], strict=True):
        brain = np.asarray(nib.load(tmp_path / "out" / file).dataobj)
        box = ndimage.find_objects(mask.astype(int))[0]
        np.testing.assert_array_equal(brain, np.where(mask, raw, 0)[box] * gain)
