"""Tumour, CSF and white matter of a slice, and a reference point in each (paper §4.6)."""

import numpy as np
from scipy import ndimage
from sklearn.cluster import KMeans

from braindino.errors import BadInput

CORE = (1, 3, 4)  # necrotic, enhancing (BraTS 2023 on), enhancing (before); 2 is oedema
HEALTHY = 0.55  # assumed: height at which lateral ventricles and white matter are both large
INNER = 1 / 3  # assumed: of the way in, so that CSF is a ventricle's and no partial volume's
STARTS = (10, 50, 90)  # percentiles from which the three classes start
THINNED = 7  # every so many voxels suffice for three means


def upright(labels, shape):
    """Bring labels [x, y, z] onto the grid of `axial_slices`, each from the nearest voxel."""
    turned = labels.transpose(2, 1, 0)[:, ::-1]
    places = [
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(shape, turned.shape, strict=True)
    ]
    return turned[np.ix_(*places)]


def choose_plane(core, asked=None):
    """Return the axial plane to show: the one asked for, with most tumour, or at 55 % height."""
    if asked is not None:
        if not 0 <= asked < len(core):
            raise BadInput(
                f"representation.similarity.slice is {asked}; the evaluation's slices are 0 to "
                f"{len(core) - 1}."
            )
        return asked
    return int(core.sum((1, 2)).argmax()) if core.any() else int(HEALTHY * len(core))


def slice_masks(slices, labels, plane):
    """Find the tissues of a slice.

    CSF is the darkest, white matter the brightest of three classes of intensity (k-means) of the
    whole brain without what the label map marks: true of T1-weighted contrasts alone.

    Parameters
    ----------
    slices : ndarray [planes, rows, columns]
        Normalised; zero outside the brain.
    labels : ndarray of int, of that shape
        Zero where there is no tumour.
    plane : int

    Returns
    -------
    dict of ndarray of bool [rows, columns]
        tumour (where there is any), csf and white_matter.
    """
    healthy = slices[(slices != 0) & (labels == 0)][::THINNED, None]
    start = np.percentile(healthy, STARTS)[:, None]
    centres = np.sort(KMeans(3, init=start, n_init=1).fit(healthy).cluster_centers_[:, 0])
    dark, bright = (centres[:-1] + centres[1:]) / 2
    shown, brain = slices[plane], (slices[plane] != 0) & (labels[plane] == 0)
    core = np.isin(labels[plane], CORE)
    masks = {"csf": brain & (shown < dark), "white_matter": brain & (shown > bright)}
    return ({"tumour": core} if core.any() else {}) | masks


def reference_points(masks, brain, given=None):
    """Choose a reference point in each tissue.

    Parameters
    ----------
    masks : dict of ndarray of bool [rows, columns]
    brain : ndarray of bool [rows, columns]
    given : dict, optional
        tissue → (row, column), which wins.

    Returns
    -------
    dict
        tissue → (row, column): the pixel farthest from the tissue's border, of CSF and white
        matter away from the brain's edge. A tissue that the slice lacks has none.

    Raises
    ------
    BadInput
        When a given point is outside the slice.
    """
    depth = _depth(brain)
    inner = depth > INNER * depth.max()
    points = {
        name: _deepest(mask & inner if name != "tumour" and (mask & inner).any() else mask)
        for name, mask in masks.items()
        if mask.any()
    }
    for name, point in (given or {}).items():
        shape = next(iter(masks.values())).shape
        if not all(0 <= place < size for place, size in zip(point, shape, strict=True)):
            raise BadInput(
                f"representation.similarity.points: {name} is {tuple(point)}; the slice has "
                f"{shape[0]} rows and {shape[1]} columns."
            )
        points[name] = tuple(point)
    return points


def _deepest(mask):
    return tuple(int(i) for i in np.unravel_index(_depth(mask).argmax(), mask.shape))


def _depth(mask):
    """Return each pixel's distance from the outside."""
    return ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
