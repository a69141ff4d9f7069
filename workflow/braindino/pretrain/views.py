"""Multi-crop views of a slice (paper section 4.2: flips and blur, no colour operations)."""

import math

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional

from braindino.pretrain.order import SliceOrder
from braindino.seeds import derive_rng

# Assumed: the usual range of a random resized crop, which the paper does not restate.
ASPECT = (3 / 4, 4 / 3)
# Assumed: the kernel of 9 × 9 pixels of the reference DINOv3 recipe.
BLUR_RADIUS = 4
CROP_ATTEMPTS = 10


class MultiCrop(Dataset):
    """Views of the k-th slice of a run: a function of (seed, k) and nothing else.

    Indexing returns float32 global crops [n_global, 1, size, size] and local crops
    [n_local, 1, size, size].
    """

    def __init__(self, slices, settings, seed):
        self.slices = slices
        self.order = SliceOrder(slices.sizes, seed)
        self.settings = settings
        self.seed = seed

    def __getitem__(self, position):
        s, rng = self.settings, derive_rng(self.seed, "views", position)
        pixels = self.slices[self.order[position]]
        image = torch.from_numpy(pixels.astype(np.float32))[None]
        large = [
            random_view(image, s.global_scale, s.global_size, s, rng) for _ in range(s.global_crops)
        ]
        small = [
            random_view(image, s.local_scale, s.local_size, s, rng) for _ in range(s.local_crops)
        ]
        return torch.stack(large), torch.stack(small)


def random_view(image, scale, size, settings, rng):
    """Draw one view of an image: crop, resize, perhaps flip, perhaps blur.

    Parameters
    ----------
    image : Tensor [1, height, width]
        Float slice.
    scale : (float, float)
        Range of the crop's share of the image's area.
    size : int
        Pixels of the square view; resized by antialiased bicubic interpolation.
    settings : Views
        Probabilities of flip and blur, and the range of the blur's sigma.
    rng : numpy.random.Generator
        Source of every draw.

    Returns
    -------
    Tensor [1, size, size]
    """
    box = random_box(image.shape[-2:], scale, rng)
    view = functional.resized_crop(
        image, *box, [size, size], functional.InterpolationMode.BICUBIC, antialias=True
    )
    if rng.random() < settings.flip:
        view = view.flip(-1)
    if rng.random() < settings.blur:
        sigma = rng.uniform(*settings.blur_sigma)
        view = torch.from_numpy(
            gaussian_filter(view.numpy(), sigma, radius=BLUR_RADIUS, mode="mirror", axes=(-2, -1))
        )
    return view


def random_box(shape, scale, rng):
    """Draw a box (top, left, height, width) by its share of the area and its aspect ratio."""
    height, width = shape
    for _ in range(CROP_ATTEMPTS):
        area = rng.uniform(*scale) * height * width
        aspect = math.exp(rng.uniform(*np.log(ASPECT)))
        h, w = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < h <= height and 0 < w <= width:
            return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
    return 0, 0, height, width


def view_loader(views, batch, first, last, workers=0):
    """Load the batches of iterations `first` to `last - 1`, in order, whatever the workers.

    Yields global crops [n_global · batch, 1, size, size] and local crops
    [n_local · batch, 1, size, size], view by view.
    """
    return DataLoader(
        views,
        batch_size=batch,
        sampler=range(first * batch, last * batch),
        num_workers=workers,
        collate_fn=_view_major,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # else the loader would draw from torch's global one
    )


def _view_major(samples):
    return tuple(torch.stack(crops, dim=1).flatten(0, 1) for crops in zip(*samples, strict=True))
