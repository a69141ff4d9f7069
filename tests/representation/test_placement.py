"""Pixels on token grids: followed through the encoders' inputs by what the inputs hold."""

from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
import torch

from braindino.imaging.normalise import axial_slices
from braindino.imaging.views import volume_view
from braindino.representation.placement import slice_tokens, slice_voxels, view_places
from braindino.settings.imaging import Imaging
from braindino.settings.views import SliceView, VolumeView

AFFINE = np.diag([1.0, 1.2, 0.8, 1])
SHAPE = (48, 56, 60)
VIEWS = {
    "resized": {"size": (32, 32, 32), "fit": "resize"},
    "cropped": {"size": (32, 40, 24), "fit": "crop", "spacing": 1.1},
    "padded": {"size": (64, 64, 64), "fit": "crop", "spacing": 1.5},
    "turned": {"size": (24, 30, 36), "fit": "resize", "axcodes": "SPL"},
    "turned, cropped": {"size": (40, 32, 24), "fit": "crop", "axcodes": "PLS", "spacing": 1.0},
}


def blob(centre, shape=SHAPE):
    """A brain of ones with a bright, smooth spot."""
    grids = np.indices(shape)
    distance = sum((g - c) ** 2 for g, c in zip(grids, centre, strict=True))
    return (1 + 50 * np.exp(-distance / 18)).astype(np.float32)


@pytest.mark.parametrize("changes", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("centre", [(20, 30, 28), (27, 24, 33)])
def test_a_spot_is_found_where_it_was_put(changes, centre):
    view = VolumeView(**changes, intensity="unit", percentiles=(0, 100), source="")
    given = volume_view(blob(centre), AFFINE, view)
    weights = np.clip(given - 0.3, 0, None)
    found = [(weights * np.indices(given.shape)[axis]).sum() / weights.sum() for axis in range(3)]
    axes, places = view_places(SHAPE, AFFINE, view, centre)
    for axis, place in zip(axes, places, strict=True):
        assert found[axis] == pytest.approx(place, abs=0.35)


def test_a_slice_s_pixels_are_those_of_axial_slices():
    imaging = Imaging(evaluation_shape=(20, 40, 36), clip_percentiles=(0, 100))
    plane, row, column = 11, 13, 22
    x, y, z = slice_voxels(SHAPE, plane, imaging.evaluation_shape)
    slices = axial_slices(blob((x[column], y[row], z)), imaging.evaluation_shape, imaging)
    where = np.unravel_index(int(slices.argmax()), slices.shape)
    np.testing.assert_allclose(where, (plane, row, column), atol=1)


class Averages:
    """A stand-in for a network: a token is the mean of its patch."""

    def __init__(self, view, patch=8):
        self.view, self.card = view, SimpleNamespace(patch=patch)

    def tokens(self, volumes, modalities):
        patch = self.card.patch
        pool = torch.nn.functional.avg_pool3d
        if self.view.kind == "slices":
            return pool(volumes, (1, patch, patch))[..., None]
        return pool(volumes, patch)[..., None]


@pytest.mark.parametrize(
    "view",
    [
        SliceView(kind="slices", source=""),
        SliceView(kind="slices", size=(64, 64), source=""),
        VolumeView(size=(48, 48, 48), fit="resize", source=""),
        VolumeView(size=(48, 40, 48), fit="resize", axcodes="SPL", source=""),
        VolumeView(size=(64, 64, 64), fit="crop", spacing=1.2, axcodes="LPS", source=""),
    ],
    ids=lambda view: f"{view.kind} {view.size}",
)
def test_every_encoder_shows_a_spot_at_the_same_pixel(view):
    imaging = Imaging(evaluation_shape=(32, 64, 64))
    centre, plane = (30, 20, 31), 16
    x, y, _ = slice_voxels(SHAPE, plane, imaging.evaluation_shape)
    pixel = np.abs(y - centre[1]).argmin(), np.abs(x - centre[0]).argmin()
    placed = slice_tokens(Averages(view), blob(centre), AFFINE, "T1w", plane, imaging)
    shown = placed.upsample(placed.tokens[..., 0])
    brightest = np.unravel_index(np.nanargmax(shown), shown.shape)
    assert np.abs(np.subtract(brightest, pixel)).max() <= 8  # a token is as wide
    assert placed.at(*pixel) == placed.tokens.max()
    assert placed.seen.all()
    assert placed.owners()[pixel] == placed.tokens[..., 0].argmax()


def test_pixels_outside_a_crop_are_unseen():
    view = VolumeView(size=(16, 56, 64), fit="crop", source="")
    imaging = Imaging(evaluation_shape=(32, 64, 64))
    unit = np.eye(4)
    placed = slice_tokens(Averages(view), blob((24, 28, 30)), unit, "T1w", 16, imaging)
    # 16 of 48 voxels across are in the crop: a third of the columns.
    assert placed.seen.all(0).sum() == pytest.approx(64 / 3, abs=2)
    assert np.isnan(placed.upsample(placed.tokens[..., 0])[:, 0]).all()


def test_a_canonical_image_is_not_turned():
    view = VolumeView(size=(8, 8, 8), fit="resize", source="")
    axes, _ = view_places((8, 8, 8), np.eye(4), view, (0, 0, 0))
    assert axes == [0, 1, 2] and nib.aff2axcodes(np.eye(4)) == ("R", "A", "S")
