"""Block-wise masks of global crops for masked-patch prediction (Bao et al. 2022, BEiT)."""

import math

import numpy as np

# Assumed: bounds of a block in BEiT and the reference DINOv3 recipe.
MIN_BLOCK = 4
BLOCK_ASPECT = 0.3
BLOCK_ATTEMPTS = 40


def mask_ratios(crops, probability, ratio, rng):
    """Draw which crops of a whole batch are masked, and how much of each.

    Exactly `int(probability · crops)` crops are masked. Their ratios are drawn one from each of as
    many equal parts of the range: each is uniform over it, as the paper states (§4.2), and a batch
    covers it evenly, as in the reference recipe.

    Parameters
    ----------
    crops : int
        Number of global crops.
    probability : float
        Share of crops that are masked.
    ratio : (float, float)
        Range of the share of patches masked in such a crop.
    rng : numpy.random.Generator
        Source of every draw.

    Returns
    -------
    ndarray of float [crops]
        Zero where a crop is not masked.
    """
    masked = rng.permutation(crops)[: int(probability * crops)]
    edges = np.linspace(*ratio, len(masked) + 1)
    ratios = np.zeros(crops)
    ratios[masked] = rng.uniform(edges[:-1], edges[1:])
    return ratios


def random_mask(grid, ratio, rng):
    """Mask a share of a grid of patches: bool [height, width]; none where the share is zero."""
    if ratio == 0:
        return np.zeros(grid, dtype=bool)
    return block_mask(grid, max(1, round(ratio * grid[0] * grid[1])), rng)


def block_mask(grid, count, rng):
    """Mask exactly `count` patches: rectangles while they fit, then single patches."""
    mask = np.zeros(grid, dtype=bool)
    for _ in range(BLOCK_ATTEMPTS):
        left = count - mask.sum()
        if left < MIN_BLOCK:
            break
        block = _random_block(grid, left, rng)
        if (block & ~mask).sum() <= left:
            mask |= block
    free = np.flatnonzero(~mask)
    mask.flat[rng.choice(free, count - mask.sum(), replace=False)] = True
    return mask


def _random_block(grid, largest, rng):
    area = rng.uniform(MIN_BLOCK, largest)
    aspect = math.exp(rng.uniform(math.log(BLOCK_ASPECT), -math.log(BLOCK_ASPECT)))
    height = min(grid[0], max(1, round(math.sqrt(area * aspect))))
    width = min(grid[1], max(1, round(math.sqrt(area / aspect))))
    top, left = rng.integers(grid[0] - height + 1), rng.integers(grid[1] - width + 1)
    block = np.zeros(grid, dtype=bool)
    block[top : top + height, left : left + width] = True
    return block
