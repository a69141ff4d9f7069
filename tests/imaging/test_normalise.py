import numpy as np
import pytest
import torch
from monai.transforms import NormalizeIntensity, Resize

from braindino.imaging.normalise import axial_slices, clip_percentiles, draw_slices, z_score
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


def test_percentiles_by_hand():
    volume = torch.cat([torch.zeros(1000), torch.arange(1.0, 1002.0)]).reshape(1, 1, -1)
    clipped = clip_percentiles(volume, PROTOCOL)
    # The 0.5th and 99.5th percentiles of 1 … 1001 are 6 and 996.
    assert clipped[volume > 0].min() == 6
    assert clipped.max() == 996
    assert (clipped[volume == 0] == 0).all()


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
