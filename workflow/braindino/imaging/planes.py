"""Sagittal and coronal slices, as a condition beside the paper's axial ones."""

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


def turn(brain, plane):
    """Turn a brain so that its axial slices are those of another plane.

    `turn(brain, "sagittal")` goes into `imaging.normalise.axial_slices` in the brain's place; the
    features of such slices are a condition of the encoders' stage, named by the plane.

    Parameters
    ----------
    brain : ndarray [x, y, z]
        RAS+.
    plane : {'axial', 'coronal', 'sagittal'}

    Returns
    -------
    ndarray
        A view, whose last axis is across the slices. Coronal ones go from back to front, sagittal
        ones from left to right; the top of the head is in their first row.
    """
    return brain.transpose(AXES[plane])
