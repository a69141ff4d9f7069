"""Block-wise masks of global crops for masked-patch prediction (Bao et al. 2022, BEiT)."""

import math

import numpy as np

# Assumed: bounds of a block in BEiT and the reference DINOv3 recipe.
MIN_BLOCK = 4
BLOCK_ASPECT = 0.3
BLOCK_ATTEMPTS = 40


def random_masks(crops, grid, probability, ratio, rng):
    """Draw the masks of a batch of global crops.

    Exactly `int(probability · crops)` crops are masked. Their ratios are drawn one from each of as
    many equal parts of the range: each is uniform over it, as the paper states (§4.2), and a batch
    covers it evenly, as in the reference recipe.

    Parameters
    ----------
    crops : int
        Number of crops.
    grid : (int, int)
        Patches down and across a crop.
    probability : float
        Share of crops that are masked.
    ratio : (float, float)
        Range of the share of patches masked in such a crop.
    rng : numpy.random.Generator
        Source of every draw.

    Returns
    -------
    ndarray of bool [crops, height, width]
    """
    masks = np.zeros((crops, *grid), dtype=bool)
    masked = rng.permutation(crops)[: int(probability * crops)]
    edges = np.linspace(*ratio, len(masked) + 1)
    for crop, share in zip(masked, rng.uniform(edges[:-1], edges[1:]), strict=True):
        masks[crop] = block_mask(grid, max(1, round(share * masks[crop].size)), rng)
    return masks


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
