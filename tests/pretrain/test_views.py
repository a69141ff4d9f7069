import numpy as np
import pytest
import torch

from braindino.pretrain.slices import Slices
from braindino.pretrain.views import MultiCrop, random_box, random_view, view_loader
from braindino.settings.pretrain import Views

SETTINGS = Views(global_size=48, local_size=32, local_crops=3)


@pytest.fixture
def views(shards):
    return MultiCrop(Slices(shards), SETTINGS, seed=5)


def test_shapes(views):
    large, small = views[0]
    assert large.shape == (2, 1, 48, 48)
    assert small.shape == (3, 1, 32, 32)
    assert large.dtype == torch.float32


def test_views_depend_on_position_and_seed_alone(views, shards):
    expected = [crop.clone() for crop in views[13]]
    views[2]
    torch.manual_seed(1)
    again = MultiCrop(Slices(shards), SETTINGS, seed=5)[13]
    assert all(torch.equal(a, b) for a, b in zip(again, expected, strict=True))
    other = MultiCrop(Slices(shards), SETTINGS, seed=6)[13]
    assert not torch.equal(other[0], expected[0])


def test_one_slice_has_other_views_in_every_epoch(views):
    assert not torch.equal(views[0][0][0], views[11][0][0])


def test_workers_change_nothing(views):
    alone, helped = (list(view_loader(views, 4, 1, 4, workers)) for workers in (0, 2))
    assert len(alone) == len(helped) == 3
    for a, b in zip(alone, helped, strict=True):
        assert torch.equal(a[0], b[0])
        assert torch.equal(a[1], b[1])


def test_batches_are_view_major(views):
    large, small = next(iter(view_loader(views, 4, 0, 1)))
    assert torch.equal(large[4 + 2], views[2][0][1])
    assert torch.equal(small[2 * 4 + 3], views[3][1][2])


def test_the_loader_leaves_the_global_generator_alone(views):
    before = torch.random.get_rng_state()
    next(iter(view_loader(views, 4, 0, 1)))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_boxes_keep_to_scale_and_aspect():
    rng = np.random.default_rng(0)
    boxes = np.array([random_box((256, 256), (0.05, 0.32), rng) for _ in range(500)])
    top, left, height, width = boxes.T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= 256).all()
    assert (left + width <= 256).all()
    area = height * width / 256**2
    assert area.min() > 0.045
    assert area.max() < 0.33
    assert abs(area.mean() - 0.185) < 0.02
    assert 0.7 < (width / height).min() < 0.8
    assert 1.25 < (width / height).max() < 1.4


def test_a_box_that_never_fits_is_the_image():
    assert random_box((10, 200), (1.0, 1.0), np.random.default_rng(0)) == (0, 0, 10, 200)


def test_a_view_of_a_constant_slice_is_constant():
    rng = np.random.default_rng(0)
    view = random_view(torch.full((1, 64, 64), -0.7), (0.3, 1.0), 48, SETTINGS, rng)
    torch.testing.assert_close(view, torch.full((1, 48, 48), -0.7))


def test_flips_are_left_right():
    always = Views(flip=1.0, blur=0.0)
    ramp = torch.arange(64.0).expand(1, 64, 64)  # brighter to the right
    view = random_view(ramp, (0.3, 1.0), 32, always, np.random.default_rng(0))
    assert (view.diff(dim=-1) < 0).all()
    torch.testing.assert_close(view, view[:, :1].expand_as(view))


def test_blur_smooths():
    noise = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))
    roughness = {
        p: random_view(
            noise, (1.0, 1.0), 64, Views(blur=p, blur_sigma=(2.0, 2.0)), np.random.default_rng(0)
        )
        .diff()
        .std()
        for p in (0.0, 1.0)
    }
    assert roughness[1.0] < 0.2 * roughness[0.0]
