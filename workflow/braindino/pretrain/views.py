"""Multi-crop views of slices (paper section 4.2: flips and blur, no colour operations)."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torchvision.transforms.v2 import functional

from braindino.pretrain.view_matrices import batched_views

# Assumed: the usual range of a random resized crop, which the paper does not restate.
ASPECT = (3 / 4, 4 / 3)
# Assumed: the kernel of 9 × 9 pixels of the reference DINOv3 recipe.
BLUR_RADIUS = 4
CROP_ATTEMPTS = 10


class Draws(NamedTuple):
    """What was drawn for each of n views; an array of any leading shape stacks them."""

    box: np.ndarray  # int [n, 4]: top, left, height, width
    flip: np.ndarray  # bool [n]
    sigma: np.ndarray  # float32 [n]: of the blur (pixels of the view), zero where there is none


def draw_views(count, shape, scale, settings, rng):
    """Draw views of one image.

    Parameters
    ----------
    count : int
        Number of views.
    shape : (int, int)
        Height and width of the image.
    scale : (float, float)
        Range of a crop's share of the image's area.
    settings : braindino.settings.pretrain.Views
        Probabilities of flip and blur, and the range of the blur's sigma.
    rng : numpy.random.Generator
        Source of every draw.

    Returns
    -------
    Draws
    """
    blurred = rng.random(count) < settings.blur
    sigma = np.where(blurred, rng.uniform(*settings.blur_sigma, count), 0).astype(np.float32)
    return Draws(random_boxes(count, shape, scale, rng), rng.random(count) < settings.flip, sigma)


def random_boxes(count, shape, scale, rng):
    """Draw boxes by their share of the area and their aspect ratio: int [count, 4].

    A box that does not fit is drawn again, ten times at most; then it is the whole image.
    """
    tries = (count, CROP_ATTEMPTS)
    area = rng.uniform(*scale, tries) * shape[0] * shape[1]
    aspect = np.exp(rng.uniform(*np.log(ASPECT), tries))
    sides = np.stack([np.sqrt(area / aspect), np.sqrt(area * aspect)], axis=2).round().astype(int)
    fits = ((sides > 0) & (sides <= shape)).all(axis=2)
    sides = sides[np.arange(count), fits.argmax(axis=1)]
    sides[~fits.any(axis=1)] = shape
    corner = (rng.random((count, 2)) * (np.asarray(shape) - sides + 1)).astype(int)
    return np.concatenate([corner, sides], axis=1)


def make_views(images, draws, size, upsampled=None):
    """Make the drawn views of a batch of images, where the batch is.

    One by one on a CPU, where crops are cheaper than products of whole images (a sixth of the
    time); all at once on a GPU.

    Parameters
    ----------
    images : Tensor [n, channels, height, width]
        Float slices.
    draws : Draws
        Arrays [n, views, ...]; boxes are in pixels of the upsampled image, if it is.
    size : int
        Pixels of the square views; resized by antialiased bicubic interpolation.
    upsampled : int, optional
        Side to which an image is first resized, in the same way.

    Returns
    -------
    Tensor float32 [views · n, channels, size, size]
        View by view.
    """
    if images.device.type != "cpu":
        return batched_views(images, draws, size, BLUR_RADIUS, upsampled)
    images = [_resize(image.float(), upsampled) if upsampled else image.float() for image in images]
    count, views = draws.flip.shape
    cases = [(n, v) for v in range(views) for n in range(count)]
    return torch.stack([_view(images[n], *(a[n, v] for a in draws), size) for n, v in cases])


def _view(image, box, flip, sigma, size):
    top, left, height, width = box.tolist()
    view = _resize(image[..., top : top + height, left : left + width], size)
    if flip:
        view = view.flip(-1)
    if sigma:
        blurred = gaussian_filter(
            view.numpy(), float(sigma), radius=BLUR_RADIUS, mode="mirror", axes=(-2, -1)
        )
        view = torch.from_numpy(blurred)
    return view


def _resize(image, size):
    return functional.resize(
        image, [size, size], functional.InterpolationMode.BICUBIC, antialias=True
    )
