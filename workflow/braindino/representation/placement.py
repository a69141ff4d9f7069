"""Where the pixels of an axial slice lie on the token grids of encoders (paper §4.6)."""

from typing import NamedTuple

import nibabel as nib
import numpy as np
from scipy import ndimage

from braindino.imaging.views import encoder_input
from braindino.imaging.volume import spacing_of


class SliceTokens(NamedTuple):
    """The tokens of one axial plane, and where a slice's pixels lie among them.

    Attributes
    ----------
    tokens : ndarray [y, x, dim]
    rows, columns : ndarray [height], [width]
        Place of each row and column of pixels on that grid; whole numbers are tokens' centres.
    seen : ndarray of bool [height, width]
        Pixels within the encoder's input, which may be a crop.
    """

    tokens: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    seen: np.ndarray

    def at(self, row, column):
        """Return the token [dim] that holds a pixel."""
        places = (self.rows[row], self.columns[column])
        return self.tokens[tuple(map(_nearest, places, self.tokens.shape))]

    def upsample(self, plane):
        """Interpolate values [y, x] of the tokens bilinearly at every pixel; NaN where unseen."""
        grid = np.meshgrid(self.rows, self.columns, indexing="ij")
        values = ndimage.map_coordinates(plane.astype(float), grid, order=1, mode="nearest")
        return np.where(self.seen, values, np.nan)

    def owners(self):
        """Return the token of every pixel as a flat index, [height, width]."""
        high, wide = self.tokens.shape[:2]
        rows = np.clip(np.rint(self.rows), 0, high - 1).astype(int)
        columns = np.clip(np.rint(self.columns), 0, wide - 1).astype(int)
        return rows[:, None] * wide + columns


def slice_tokens(encoder, brain, affine, modality, plane, protocol):
    """Read the tokens of a slice.

    Parameters
    ----------
    encoder : braindino.encoders.encoder.Encoder
    brain : ndarray [x, y, z]
        Stripped and cropped, RAS+.
    affine : ndarray [4, 4]
    modality : str
    plane : int
        Axial plane of the evaluation's.
    protocol : braindino.settings.imaging.Imaging

    Returns
    -------
    SliceTokens
        Of a 2-D encoder, the slice's own grid; of a 3-D one, the plane nearest in depth.
    """
    view, patch = encoder.view, encoder.card.patch
    given = encoder_input(brain, affine, view, protocol)
    voxels = slice_voxels(brain.shape, plane, protocol.evaluation_shape)
    if view.kind == "slices":
        tokens = encoder.tokens(given[None, plane : plane + 1], [modality])[0, 0].numpy()
        rows, columns = (
            (np.arange(size) + 0.5) * grid / size - 0.5
            for size, grid in zip(protocol.evaluation_shape[1:], tokens.shape[:2], strict=True)
        )
        return SliceTokens(tokens, rows, columns, np.ones((len(rows), len(columns)), bool))
    grid = encoder.tokens(given[None], [modality])[0].numpy()
    axes, places = view_places(brain.shape, affine, view, voxels)
    x, y, z = ((place + 0.5) / patch - 0.5 for place in places)
    inside = [(p >= -0.5) & (p <= view.size[a] - 0.5) for a, p in zip(axes, places, strict=True)]
    tokens = grid.transpose(*axes, 3)[:, :, _nearest(z, grid.shape[axes[2]])]
    seen = inside[1][:, None] & inside[0] & inside[2]
    return SliceTokens(tokens.swapaxes(0, 1), y, x, seen)


def slice_voxels(shape, plane, slices):
    """Return the voxel coordinates of a slice's pixels: of its columns, its rows and its plane.

    Parameters
    ----------
    shape : tuple of 3 ints
        Of the brain, along x, y, z.
    plane : int
    slices : tuple of 3 ints
        Axial planes, rows and columns, as `imaging.normalise.axial_slices` makes them.
    """
    planes, rows, columns = slices
    x = (np.arange(columns) + 0.5) * shape[0] / columns - 0.5
    y = shape[1] - 0.5 - (np.arange(rows) + 0.5) * shape[1] / rows  # the forehead is in row 0
    return x, y, (plane + 0.5) * shape[2] / planes - 0.5


def view_places(shape, affine, view, voxels):
    """Follow voxel coordinates through `imaging.views.volume_view`.

    Parameters
    ----------
    shape : tuple of 3 ints
    affine : ndarray [4, 4]
    view : braindino.settings.views.VolumeView
    voxels : sequence of 3 arrays
        Coordinates along the brain's axes.

    Returns
    -------
    axes : list of int
        Which axis of the view each axis of the brain becomes.
    places : list of array
        The coordinates on it.
    """
    stored = nib.io_orientation(affine)
    wanted = nib.orientations.axcodes2ornt(view.axcodes)
    turned = nib.orientations.ornt_transform(stored, wanted).astype(int)
    places = [
        _along(size, spacing, view, view.size[axis], at if step > 0 else size - 1 - at)
        for size, spacing, (axis, step), at in zip(
            shape, spacing_of(affine), turned, voxels, strict=True
        )
    ]
    return [int(axis) for axis, _ in turned], places


def _along(size, spacing, view, wanted, at):
    """Resample, then crop or resize, the coordinates of one axis."""
    if view.spacing:
        step = view.spacing / spacing
        at, size = at / step, round((size - 1) / step + 1)
    if view.fit == "resize":
        return (at + 0.5) * wanted / size - 0.5
    padded = max(wanted - size, 0)
    return at + padded // 2 - ((size + padded) // 2 - wanted // 2)


def _nearest(place, size):
    return int(np.clip(np.rint(place), 0, size - 1))
