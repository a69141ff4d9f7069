"""Fingerprints of volumes: the same voxels are found again, renamed and re-saved.

A copy may have another name, header, orientation, data type, scale or empty border; the
fingerprint sees none of these. It does not find a volume that was resampled or stripped anew:
aliases have to name those (config/aliases.csv).
"""

import numpy as np
from scipy import ndimage

from braindino.corpus.stripped import filled_box

SIZE = 16  # cells along each axis
BLOCK = 2048  # fingerprints compared at a time


def fingerprint(volume):
    """Describe a volume by its fine detail on a coarse grid.

    The box around whatever differs from the corner's value is averaged over `SIZE`³ cells, turned
    so that each axis rises in brightness and the longest comes first, and freed from what a
    smooth anatomy shares with any other: the mean over neighbouring cells is subtracted.

    Parameters
    ----------
    volume : ndarray [x, y, z]

    Returns
    -------
    ndarray [SIZE³], float16, or None
        Of length 1, so that a product of two is their correlation; None for what is not one
        finite, varying volume.
    """
    if volume.ndim != 3 or np.iscomplexobj(volume) or not np.isfinite(volume).all():
        return None
    filled = volume != volume[0, 0, 0]
    if not filled.any():
        return None
    box = volume[filled_box(filled)]
    cells = _turned(_cell_means(box.astype(np.float32)), box.shape)
    detail = (cells - ndimage.uniform_filter(cells, 3, mode="nearest")).ravel()
    length = np.linalg.norm(detail)
    return (detail / length).astype(np.float16) if length > 0 else None


def same_content(prints, threshold):
    """Find the pairs of fingerprints that correlate above a threshold.

    Parameters
    ----------
    prints : ndarray [n, SIZE³]
    threshold : float

    Returns
    -------
    list of (int, int, float)
        Rows and correlation of each pair, the first row being the smaller.
    """
    prints, pairs = np.asarray(prints, np.float16), []
    for start in range(0, len(prints), BLOCK):
        rows = prints[start : start + BLOCK].astype(np.float32)
        for other in range(start, len(prints), BLOCK):
            similar = rows @ prints[other : other + BLOCK].astype(np.float32).T
            for i, j in zip(*np.nonzero(similar > threshold), strict=True):
                if start + i < other + j:
                    pairs.append((int(start + i), int(other + j), float(similar[i, j])))
    return pairs


def _cell_means(box):
    """Average a box over `SIZE` equal cells an axis; a voxel on a border counts for both."""
    for axis in range(3):
        box = np.moveaxis(np.tensordot(_weights(box.shape[axis]), box, (1, axis)), 0, axis)
    return box


def _weights(length):
    """Share of each of `length` voxels in each cell, `[SIZE, length]`."""
    edges = np.linspace(0, length, SIZE + 1)
    voxels = np.arange(length)
    upper = np.minimum(voxels + 1, edges[1:, None])
    overlap = np.clip(upper - np.maximum(voxels, edges[:-1, None]), 0, None)
    return (overlap * SIZE / length).astype(np.float32)


def _turned(cells, shape):
    """Turn cells by what they hold, so that a stored orientation does not matter."""
    cells = (cells - cells.mean()) / max(cells.std(), 1e-12)
    profiles = [cells.mean(other) for other in ((1, 2), (0, 2), (0, 1))]
    ramp = np.arange(SIZE) - (SIZE - 1) / 2
    backwards = [axis for axis, profile in enumerate(profiles) if profile @ ramp < 0]
    order = sorted(range(3), key=lambda axis: (-shape[axis], profiles[axis].var()))
    return np.flip(cells, backwards).transpose(order)
