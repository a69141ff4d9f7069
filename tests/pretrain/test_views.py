import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torchvision.transforms.v2 import functional

from braindino.pretrain.view_matrices import batched_views
from braindino.pretrain.views import BLUR_RADIUS, Draws, draw_views, make_views, random_boxes
from braindino.settings.pretrain import Views

PLAIN = Views(flip=0.0, blur=0.0)


def view(image, scale, size, settings, seed=0):
    """One view of one image [height, width]."""
    drawn = draw_views(1, image.shape, scale, settings, np.random.default_rng(seed))
    return make_views(image[None, None], Draws(*(part[None] for part in drawn)), size)[0, 0]


@pytest.fixture
def images():
    return torch.randn(3, 2, 60, 48, generator=torch.Generator().manual_seed(0))


def drawn(images, scale, shape=None, settings=None, count=4):
    rng = np.random.default_rng(1)
    settings = settings or Views()
    each = [draw_views(count, shape or images.shape[2:], scale, settings, rng) for _ in images]
    return Draws(*map(np.stack, zip(*each, strict=True)))


def by_hand(image, box, flip, sigma, size):
    """torchvision's antialiased resized crop, then a flip, then SciPy's Gaussian."""
    bicubic = functional.InterpolationMode.BICUBIC
    result = functional.resized_crop(image, *box.tolist(), [size, size], bicubic, antialias=True)
    result = result.flip(-1) if flip else result
    if sigma == 0:
        return result
    kernel = {"radius": BLUR_RADIUS, "mode": "mirror", "axes": (1, 2)}
    return torch.from_numpy(gaussian_filter(result.numpy(), float(sigma), **kernel))


@pytest.mark.parametrize("make", [make_views, lambda *a: batched_views(*a, BLUR_RADIUS)])
@pytest.mark.parametrize(("scale", "size"), [((0.05, 0.3), 32), ((0.3, 1.0), 48), ((0.6, 1.0), 16)])
def test_both_ways_make_the_views_that_torchvision_and_scipy_make(make, scale, size, images):
    draws = drawn(images, scale)
    assert 0 < draws.flip.mean() < 1
    assert 0 < (draws.sigma > 0).mean() < 1
    views = make(images, draws, size)
    assert views.dtype == torch.float32
    assert views.shape == (4 * 3, 2, size, size)
    expected = [
        by_hand(images[n], *(a[n, v] for a in draws), size) for v in range(4) for n in range(3)
    ]
    torch.testing.assert_close(views, torch.stack(expected), atol=1e-4, rtol=0)


def test_both_ways_agree_where_the_image_is_upsampled_first(images):
    draws = drawn(images, (0.05, 0.3), shape=(256, 256), settings=Views(blur=0.5))
    one_by_one = make_views(images, draws, 32, 256)
    torch.testing.assert_close(
        batched_views(images, draws, 32, BLUR_RADIUS, 256), one_by_one, atol=1e-4, rtol=0
    )


def test_boxes_keep_to_scale_and_aspect():
    top, left, height, width = random_boxes(
        500, (256, 256), (0.05, 0.32), np.random.default_rng(0)
    ).T
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
    boxes = random_boxes(3, (10, 200), (1.0, 1.0), np.random.default_rng(0))
    assert boxes.tolist() == [[0, 0, 10, 200]] * 3


def test_a_view_of_a_constant_slice_is_constant():
    made = view(torch.full((64, 64), -0.7), (0.3, 1.0), 48, Views())
    torch.testing.assert_close(made, torch.full((48, 48), -0.7))


def test_flips_are_left_right():
    ramp = torch.arange(64.0).expand(64, 64)  # brighter to the right
    made = view(ramp, (0.3, 1.0), 32, Views(flip=1.0, blur=0.0))
    assert (made.diff(dim=-1) < 0).all()
    torch.testing.assert_close(made, made[:1].expand_as(made))


def test_blur_smooths():
    noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    always = Views(flip=0.0, blur=1.0, blur_sigma=(2.0, 2.0))
    sharp, smooth = (view(noise, (1.0, 1.0), 64, s).diff().std() for s in (PLAIN, always))
    assert smooth < 0.2 * sharp
