"""Voxel grids, and random fields that are smooth on them."""

from typing import NamedTuple

import numpy as np


class Grid(NamedTuple):
    """Voxels of a scan in RAS order, centred on the brain.

    Attributes
    ----------
    shape : tuple of int
    spacing : tuple of float
        mm along each axis.
    """

    shape: tuple
    spacing: tuple

    @classmethod
    def covering(cls, extent, spacing):
        """Grid of `extent` mm with voxels of `spacing` mm along each axis."""
        return cls(tuple(round(e / s) for e, s in zip(extent, spacing, strict=True)), spacing)

    def axes(self):
        """Positions in mm of the voxels along each axis, zero at the centre."""
        return [
            (np.arange(n, dtype=np.float32) - (n - 1) / 2) * np.float32(s)
            for n, s in zip(self.shape, self.spacing, strict=True)
        ]

    def fit(self, volume):
        """Cut or fill with zeros a volume of another grid of this spacing, centre on centre."""
        for axis, (wanted, n) in enumerate(zip(self.shape, volume.shape, strict=True)):
            before = (wanted - n) // 2
            volume = volume.take(range(max(-before, 0), max(-before, 0) + min(n, wanted)), axis)
            widths = [(0, 0)] * 3
            widths[axis] = (max(before, 0), max(wanted - n - before, 0))
            volume = np.pad(volume, widths)
        return volume


def smooth_field(rng, grid, scale, components=1):
    """Draw random fields of mean 0 and SD 1 that vary over `scale` mm.

    White noise on a coarse lattice, spread by Gaussian bumps as wide as the lattice; the bumps
    are separable, so that a field costs three small matrix products.

    Returns
    -------
    ndarray
        float32 `[components, x, y, z]`.
    """
    bumps = [_bumps(axis, scale) for axis in grid.axes()]
    lattice = rng.standard_normal((components, *(b.shape[1] for b in bumps)), dtype=np.float32)
    x, y, z = bumps
    return np.einsum("nabc,xa,yb,zc->nxyz", lattice, x, y, z, optimize=True)


def _bumps(axis, scale):
    centres = np.arange(axis[0] - 2 * scale, axis[-1] + 3 * scale, scale, dtype=np.float32)
    weights = np.exp(-0.5 * ((axis[:, None] - centres) / scale) ** 2)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def sigmoid(x):
    """Soft step from 0 to 1."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))
