import numpy as np
import pytest

from braindino.imaging.normalise import axial_slices
from braindino.imaging.planes import turn
from braindino.settings.imaging import Imaging


@pytest.mark.parametrize(
    ("plane", "place"), [("axial", (4, 1, 1)), ("coronal", (2, 1, 1)), ("sagittal", (1, 1, 2))]
)
def test_a_bright_voxel_is_where_its_plane_shows_it(plane, place):
    """At x = 1, y = 2, z = 4 of a brain of 4 x 4 x 6 voxels: rows run from the front or the top."""
    brain = np.ones((4, 4, 6), np.float32)
    brain[1, 2, 4] = 9
    turned = turn(brain, plane)
    shape = turned.shape[2], turned.shape[1], turned.shape[0]
    slices = axial_slices(turned, shape, Imaging(clip_percentiles=(0, 100)))
    assert np.unravel_index(slices.argmax(), slices.shape) == place
