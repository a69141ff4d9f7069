"""What an encoder sees in a slice: the principal components of its patch tokens."""

import numpy as np
import torch
from torch.nn import functional

from braindino.files import written_whole

COMPONENTS = 3
# Assumed: a patch is brain where at least half of its pixels are.
FOREGROUND = 0.5
# Assumed: pictures at twice the size of the evaluation's, so that a patch is half as large.
MAGNIFIED = 2
Z_RANGE = (-3.0, 3.0)  # of the shown grey levels: SD around the brain's mean


@torch.inference_mode()
def patch_components(network, slices, size):
    """Project the patch tokens of all slices together onto their first principal components.

    Parameters
    ----------
    network : torch.nn.Module
        A timm vision transformer.
    slices : Tensor [n, height, width]
        Normalised slices, zero outside the brain.
    size : int
        Pixels, square, to which they are resampled first.

    Returns
    -------
    components : ndarray float32 [n, rows, columns, 3]
        Scores in units of their SD; each component's sign is such that most of its weight on the
        tokens' channels is positive. NaN where a patch is not brain.
    """
    images = functional.interpolate(slices[:, None].float(), (size, size), mode="bilinear")
    tokens = network.eval().forward_features(images.expand(-1, 3, -1, -1))
    tokens = tokens[:, network.num_prefix_tokens :].double()
    down, across = network.patch_embed.patch_size
    share = functional.avg_pool2d((images != 0).float(), (down, across))[:, 0]
    brain = share.flatten(1) >= FOREGROUND
    components = torch.full((*tokens.shape[:2], COMPONENTS), torch.nan, dtype=torch.float64)
    components[brain] = _scores(tokens[brain])
    return components.unflatten(1, share.shape[1:]).float().numpy()


def save_patches(components, slices, titles, path):
    """Write an .npz: components, slices (uint8 [n, height, width]) and titles, one a slice."""
    low, high = Z_RANGE
    grey = np.where(slices == 0, 0, np.clip((slices - low) / (high - low), 0, 1) * 255)
    with written_whole(path) as part:
        np.savez_compressed(
            part,
            components=components,
            slices=grey.astype(np.uint8),
            titles=np.array(list(titles), str),
        )


def _scores(tokens):
    """Return standardised principal component scores [tokens, 3]."""
    centred = tokens - tokens.mean(dim=0)
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # ascending
    axes = vectors[:, -COMPONENTS:].flip(1)
    axes = axes * torch.where(axes.sum(dim=0) < 0, -1.0, 1.0)
    scores = centred @ axes
    return scores / scores.std(dim=0).clamp_min(1e-12)
