import numpy as np
import pytest
import torch
from monai.transforms import NormalizeIntensity, Resize

from braindino.imaging.normalise import axial_slices, draw_slices, resize, z_score
from braindino.imaging.percentiles import STRIDE, percentiles
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging()


@pytest.fixture
def brain(rng):
    """An ellipsoid of noise in zeros, filling its box, [x, y, z]."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (40, 50, 30)), indexing="ij")
    inside = x**2 + y**2 + z**2 <= 1
    return np.where(inside, rng.normal(300, 40, inside.shape), 0).astype(np.float32)


def test_agrees_with_monai(brain):
    ours = axial_slices(brain, (64, 64, 64), PROTOCOL)
    upright = brain.transpose(2, 1, 0)[:, ::-1].copy()[None]
    resized = Resize((64, 64, 64), mode="trilinear")(upright)[0].numpy()
    low, high = np.percentile(resized[resized != 0], (0.5, 99.5))
    clipped = np.where(resized != 0, np.clip(resized, low, high), 0)
    theirs = NormalizeIntensity(nonzero=True)(clipped[None])[0]
    np.testing.assert_allclose(ours.numpy(), np.asarray(theirs), atol=1e-4)


def test_non_zero_voxels_have_mean_zero_and_unit_sd(brain):
    slices = axial_slices(brain, (32, 32, 32), PROTOCOL)
    voxels = slices[slices != 0].double()
    assert voxels.mean().item() == pytest.approx(0, abs=1e-5)
    assert voxels.std(correction=0).item() == pytest.approx(1, abs=1e-5)


def test_invariant_to_the_scanners_gain(brain):
    one, gained = (axial_slices(v, (32, 32, 32), PROTOCOL) for v in (brain, brain * 7.5))
    torch.testing.assert_close(one, gained, atol=1e-4, rtol=0)


def test_chosen_planes_are_those_of_the_whole_volume(brain):
    index = np.array([3, 9, 9, 20])
    some = axial_slices(brain, (32, 32, 32), PROTOCOL, index)
    torch.testing.assert_close(some, axial_slices(brain, (32, 32, 32), PROTOCOL)[index])


def test_clipping_by_hand():
    """The 0.5th and 99.5th percentiles of 1 … 1001 are 6 and 996, whatever zeros surround them."""
    volume = np.zeros((7, 11, 26), np.float32)
    volume.ravel()[500:1501] = np.arange(1, 1002)
    slices = axial_slices(volume, volume.shape[::-1], PROTOCOL).numpy()
    clipped = np.clip(np.arange(1, 1002), 6, 996)
    extremes = (np.array([6, 996]) - clipped.mean()) / clipped.std()
    np.testing.assert_allclose([slices.min(), slices.max()], extremes, rtol=1e-5)


def test_percentiles_of_all_voxels_leave_the_dark_ones(brain):
    protocol = PROTOCOL.model_copy(update={"clip_domain": "all"})
    slices = axial_slices(brain, brain.shape[::-1], protocol).numpy()
    upper = np.percentile(brain, 99.5)
    clipped = np.clip(brain[brain != 0], 0, upper)
    assert slices.min() == pytest.approx((clipped.min() - clipped.mean()) / clipped.std(), rel=1e-4)
    assert slices.max() == pytest.approx((upper - clipped.mean()) / clipped.std(), rel=1e-4)


def misleading(rng):
    """Noise whose every sampled voxel is far above the rest."""
    volume = rng.normal(size=(20, 64, 64)).astype(np.float32)
    volume.ravel()[::STRIDE] = 1e6
    return volume


VOLUMES = {
    "brain": lambda rng: np.maximum(rng.normal(0, 9, (40, 64, 64)), 0),
    "both signs": lambda rng: rng.normal(size=(40, 64, 64)) * (rng.random((40, 64, 64)) < 0.4),
    "few values": lambda rng: rng.integers(0, 4, (40, 64, 64)),
    "one value": lambda rng: np.full((4, 64, 64), 7),
    "a few voxels": lambda rng: rng.random((2, 3, 2)),
    "misleading sample": misleading,
}


@pytest.mark.parametrize("nonzero", [True, False])
@pytest.mark.parametrize("name", VOLUMES)
def test_percentiles_are_numpys(name, nonzero, rng):
    volume = VOLUMES[name](rng).astype(np.float32)
    levels = (0, 0.5, 25, 50, 99.5, 100)
    truth = np.percentile(volume[volume != 0] if nonzero else volume, levels)
    np.testing.assert_allclose(percentiles(volume, levels, nonzero), truth, rtol=1e-6)


def keys_cubic(values, size):
    """Resample one axis by Keys' kernel (a = -0.75, as OpenCV and torch), edges repeated."""
    place = (np.arange(size) + 0.5) * len(values) / size - 0.5
    taps = np.floor(place).astype(int)[:, None] + np.arange(-1, 3)
    near = np.abs(place[:, None] - taps)
    inner = (1.25 * near - 2.25) * near**2 + 1
    outer = -0.75 * (((near - 5) * near + 8) * near - 4)
    picked = values[np.clip(taps, 0, len(values) - 1)]
    return (np.where(near <= 1, inner, outer) * picked).sum(1)


def test_cubic_is_keys_kernel_along_every_axis(rng):
    volume = rng.random((9, 10, 11)).astype(np.float32)
    ours = resize(torch.from_numpy(volume), (16, 24, 8), "cubic").numpy()
    truth = volume
    for axis, size in enumerate((16, 24, 8)):
        truth = np.apply_along_axis(keys_cubic, axis, truth, size)
    np.testing.assert_allclose(ours, truth, atol=1e-5)


def test_z_score_by_hand():
    scored = z_score(torch.tensor([[0.0, 1.0, 3.0]]))
    torch.testing.assert_close(scored, torch.tensor([[0.0, -1.0, 1.0]]))


def test_slices_are_upright():
    """A bright front-right-top corner must land in the top right of the last slices."""
    volume = np.ones((20, 20, 20), np.float32)
    volume[12:, 12:, 12:] = 9
    slices = axial_slices(volume, (20, 20, 20), PROTOCOL)
    assert slices[18, 2, 18] > slices[18, 18, 18]
    assert slices[18, 2, 18] > slices[18, 2, 2]
    assert slices[18, 2, 18] > slices[1, 2, 18]


def test_slice_draw_follows_the_papers_normal():
    draws = np.concatenate([draw_slices(f"volume {n}", PROTOCOL, 0) for n in range(300)])
    each = draw_slices("a", PROTOCOL, 0)
    assert len(each) == len(set(each)) == 128
    assert each.min() >= 0
    assert each.max() <= 255
    # Drawing half of all slices without replacement flattens N(128, 50); its centre stays.
    assert draws.mean() == pytest.approx(128, abs=1)
    centre = ((draws > 103) & (draws <= 153)).mean()
    edge = ((draws < 25) | (draws >= 231)).mean()
    assert centre > 2 * edge


def test_slice_draw_with_replacement_has_the_papers_sd():
    protocol = PROTOCOL.model_copy(update={"slice_replacement": True})
    draws = np.concatenate([draw_slices(f"volume {n}", protocol, 0) for n in range(200)])
    index = np.arange(256)
    weights = np.exp(-0.5 * ((index - 128) / 50) ** 2)
    sd = np.sqrt(np.average((index - 128) ** 2, weights=weights))
    assert draws.std() == pytest.approx(sd, rel=0.02)


def test_slice_draw_depends_on_volume_and_seed_alone():
    np.testing.assert_array_equal(draw_slices("a", PROTOCOL, 0), draw_slices("a", PROTOCOL, 0))
    assert (draw_slices("a", PROTOCOL, 0) != draw_slices("b", PROTOCOL, 0)).any()
    assert (draw_slices("a", PROTOCOL, 0) != draw_slices("a", PROTOCOL, 1)).any()
