from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import (
    CenterSpatialCrop,
    Compose,
    CropForeground,
    Lambda,
    NormalizeIntensity,
    Orientation,
    Resize,
    ResizeWithPadOrCrop,
    ScaleIntensityRangePercentiles,
    Spacing,
)
from pydantic import ValidationError

from braindino.imaging.brains import strip_chunk
from braindino.imaging.normalise import axial_slices
from braindino.imaging.views import encoder_input, volume_view
from braindino.settings.imaging import Imaging
from braindino.settings.load import load_card
from braindino.settings.views import SliceView, VolumeView

CARDS = Path(__file__).parents[2] / "config"
VIEWS = {
    name: load_card("encoders", name, CARDS).input.native
    for name in ("bm_mae", "brainmvp", "brainiac")
}
# MONAI's sampler leaves 1e-12 where a sample lies on a voxel of the background; that is no brain.
SPACING = Compose([Spacing((1, 1, 1)), Lambda(lambda v: v.where(v.abs() > 1e-3, 0))])
# The published steps, in MONAI's words.
Z_SCORE = NormalizeIntensity(nonzero=True)
PEERS = {
    "bm_mae": [Orientation("LPS"), SPACING, ResizeWithPadOrCrop(128), Z_SCORE],
    "brainmvp": [
        Orientation("RAS"),
        SPACING,
        CropForeground(),
        ScaleIntensityRangePercentiles(5, 95, 0, 1, clip=True),
        ResizeWithPadOrCrop(96),
    ],
    "brainiac": [Orientation("RAS"), Resize((96, 96, 96), mode="trilinear"), Z_SCORE],
}
GRIDS = {
    "0.9 x 0.9 x 5.5 mm": ((150, 170, 25), (0.9, 0.9, 5.5)),
    "1 mm": ((140, 131, 97), (1, 1, 1)),
    "larger than every crop": ((150, 170, 140), (1.1, 1, 1.2)),
    "smaller than every crop": ((60, 71, 50), (1.5, 1.25, 1.3)),
}


def make_brain(shape, spacing, rng):
    """An ellipsoid of noise that fills its box, and its affine, stored right to left."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum(axis**2 for axis in axes) <= 1
    brain = np.where(inside, 300 + 80 * axes[0] + rng.normal(0, 20, shape), 0).round()
    box = tuple(slice(i.min(), i.max() + 1) for i in np.nonzero(brain))
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing) @ np.diag([-1, 1, 1])
    affine[:3, 3] = (-70, -90, -40)
    return brain[box].astype(np.int16), affine


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", VIEWS)
def test_agrees_with_monai(name, grid, rng):
    brain, affine = make_brain(*GRIDS[grid], rng)
    ours = volume_view(brain, affine, VIEWS[name])
    tensor = MetaTensor(torch.from_numpy(brain.astype(np.float32))[None], torch.from_numpy(affine))
    theirs = Compose(PEERS[name])(tensor)[0].numpy()
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape == VIEWS[name].size
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_centre_crop_of_odd_and_even_sides_is_monais(rng):
    volume = rng.random((21, 20, 9)).astype(np.float32)
    unit = {"percentiles": (0, 100), "intensity": "unit"}
    view = VolumeView(size=(10, 11, 12), fit="crop", **unit, source="test")
    ours = volume_view(volume, np.eye(4), view)
    scaled = (volume - volume.min()) / np.ptp(volume)
    theirs = CenterSpatialCrop((10, 11, 9))(scaled[None])[0]
    np.testing.assert_allclose(ours[:, :, 1:10], theirs, atol=1e-6)
    # Three planes are missing: one goes before the volume, two behind.
    assert not ours[:, :, [0, 10, 11]].any()


def test_axes_point_where_the_view_says():
    """A bright left-back-bottom corner of an RAS brain is the far end of x and y in LPS."""
    brain = np.ones((8, 8, 8), np.float32)
    brain[0, 0, 0] = 9
    view = VolumeView(axcodes="LPS", size=(8, 8, 8), fit="crop", source="test")
    turned = volume_view(brain, np.eye(4), view)
    assert np.unravel_index(turned.argmax(), turned.shape) == (7, 7, 0)
    # The released BrainDINO code feeds its 3-D baselines (z, x, y).
    view = VolumeView(axcodes="SRA", size=(8, 8, 8), fit="crop", source="test")
    brain[0, 0, 0], brain[1, 2, 3] = 1, 9
    turned = volume_view(brain, np.eye(4), view)
    assert np.unravel_index(turned.argmax(), turned.shape) == (3, 1, 2)


def test_percentiles_by_hand():
    volume = np.arange(1001, dtype=np.float32).reshape(7, 11, 13)
    unit = {"percentiles": (5, 95), "intensity": "unit"}
    view = VolumeView(size=(7, 11, 13), fit="crop", **unit, source="test")
    scaled = volume_view(volume, np.eye(4), view).ravel()
    # The 5th and 95th percentiles of 0 … 1000 are 50 and 950.
    assert (scaled[:51] == 0).all()
    assert scaled[500] == pytest.approx(0.5)
    assert (scaled[950:] == 1).all()


def test_bright_voxel_stays_at_its_place_in_millimetres():
    brain = np.ones((20, 30, 10), np.float32)
    brain[12, 21, 6] = 9
    affine = np.diag([0.5, 2, 3, 1])
    view = VolumeView(spacing=1, size=(10, 59, 28), fit="crop", source="test")
    turned = volume_view(brain, affine, view)
    # Both grids begin at the first voxel's centre: (12, 21, 6) lies at (6, 42, 18) mm.
    assert np.unravel_index(turned.argmax(), turned.shape) == (6, 42, 18)


@pytest.mark.parametrize("name", VIEWS)
def test_oblique_brain_keeps_its_own_axes(name, rng):
    """As in the 2-D slices, what is nearest to an anatomical axis stands for it."""
    brain, affine = make_brain(*GRIDS["smaller than every crop"], rng)
    tilt = np.eye(4)
    tilt[:3, :3] = nib.eulerangles.euler2mat(0.1, -0.2, 0.15)
    straight, oblique = (volume_view(brain, a, VIEWS[name]) for a in (affine, tilt @ affine))
    np.testing.assert_allclose(oblique, straight, atol=1e-4)


@pytest.mark.parametrize("name", VIEWS)
def test_invariant_to_the_scanners_gain(name, rng):
    brain, affine = make_brain(*GRIDS["smaller than every crop"], rng)
    one, gained = (volume_view(brain * gain, affine, VIEWS[name]) for gain in (1, 4))
    np.testing.assert_allclose(one, gained, atol=1e-5)


def test_every_view_comes_from_the_one_stripped_brain(save_volume, tmp_path, rng):
    """The 2-D and the 3-D inputs are made from the file that `strip_chunk` wrote."""
    brain, affine = make_brain((50, 60, 40), (2, 2, 2.5), rng)
    path = save_volume(np.pad(brain, 5), affine=affine)
    row = ("lab/1/1/T1w", "1", "T1w", str(path), True)
    columns = ["volume_id", "subject", "modality", "path", "skull_stripped"]
    chunk = pd.DataFrame([row], columns=columns)
    index, *_ = strip_chunk(chunk, tmp_path / "brains", Imaging(), torch.device("cpu"))
    image = nib.load(tmp_path / "brains" / index["file"].iloc[0])
    written = np.asanyarray(image.dataobj)
    np.testing.assert_array_equal(written, brain[::-1])
    assert axial_slices(written, (128, 256, 256), Imaging()).shape == (128, 256, 256)
    for view in VIEWS.values():
        ours = volume_view(written, image.affine, view)
        np.testing.assert_allclose(ours, volume_view(brain, affine, view), atol=1e-4)


def test_a_view_refuses_axes_that_do_not_exist():
    with pytest.raises(ValidationError, match="axcodes"):
        VolumeView(axcodes="XYZ", size=(8, 8, 8), fit="crop", source="test")


def test_the_papers_preset_clips_turns_and_standardises(rng):
    """As its released code: clipped to 1 and 99 %, axes (z, x, y), then z-scored."""
    brain, affine = make_brain(*GRIDS["1 mm"], rng)
    view = load_card("encoders", "brainmvp", CARDS).input.view("paper")
    upright = brain[::-1].astype(np.float32)  # it was stored right to left
    size = upright.transpose(2, 0, 1).shape
    ours = volume_view(brain, affine, view.model_copy(update={"size": size}))
    clipped = np.clip(upright, *np.percentile(upright, (1, 99)))
    inside = clipped != 0
    expected = np.where(inside, (clipped - clipped[inside].mean()) / clipped[inside].std(), 0)
    np.testing.assert_allclose(ours, expected.transpose(2, 0, 1), atol=1e-3)


def test_unit_slices_are_black_outside_and_reach_both_ends_inside(rng):
    brain, affine = make_brain(*GRIDS["1 mm"], rng)
    view = SliceView(kind="slices", size=(48, 40), intensity="unit", source="test")
    protocol = Imaging(evaluation_shape=(16, 32, 32))
    slices = encoder_input(brain, affine, view, protocol)
    z_scores = axial_slices(brain, (16, 48, 40), protocol)
    assert slices.shape == (16, 48, 40)
    assert (slices[z_scores == 0] == 0).all()
    inside = slices[z_scores != 0]
    assert inside.min() == 0
    assert inside.max() == 1
    correlation = np.corrcoef(inside, z_scores[z_scores != 0])[0, 1]
    assert correlation == pytest.approx(1)


def test_unit_intensity_needs_its_ends():
    with pytest.raises(ValidationError, match="percentiles"):
        VolumeView(size=(8, 8, 8), fit="crop", intensity="unit", source="test")
