"""What takes up contrast agent in every brain: vessels and choroid plexus.

They tell T1c from T1w in a slice without a tumour, and look like fluid on T1w.
"""

import numpy as np

from braindino.corpus.phantoms.fields import sigmoid, smooth_field
from braindino.seeds import derive_rng

GLOMUS = (22.0, -38.0, 10.0)  # MNI mm (|x|, y, z); where choroid plexus is thickest
RADIUS = 8.0  # mm; of the glomus, assumed: larger than in life, so that a 2 mm grid shows it
BORDER = 0.6  # mm; softness


def share_of_vessels(surface, points, person, grid):
    """Return the share of vessels in the fluid around the brain.

    Assumed: a quarter of it, in pieces of some millimetres, and most of the sagittal sinus.

    Parameters
    ----------
    surface : ndarray [x, y, z]
        Distance in mm to the brain's surface, negative inside.
    points : ndarray [3, x, y, z]
        Template position in mm.
    person : braindino.corpus.phantoms.anatomy.Person
    grid : braindino.corpus.phantoms.fields.Grid
    """
    rng = derive_rng("phantom vessels", person.seed, person.subject)
    pieces = 0.05 + 0.9 * sigmoid((smooth_field(rng, grid, 2.5)[0] - 0.75) / 0.15)
    sinus = (np.abs(points[0]) < 4) & (surface > -6) & (points[2] > 0)
    return np.where(sinus, np.float32(0.8), pieces)


def share_of_plexus(points):
    """Return the share of choroid plexus in the fluid of the ventricles, at template `points`."""
    x, y, z = GLOMUS
    beyond = np.sqrt((np.abs(points[0]) - x) ** 2 + (points[1] - y) ** 2 + (points[2] - z) ** 2)
    return 0.7 * sigmoid((RADIUS - beyond) / BORDER)
