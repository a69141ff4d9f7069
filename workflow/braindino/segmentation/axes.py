"""Between the axes of nnU-Net's arrays and those that an encoder was trained on."""

import numpy as np
from nibabel.orientations import axcodes2ornt, ornt_transform

READ_AS = "SAR"  # where the axes point to that nnU-Net's reorienting reader gives
UPRIGHT = "PR"  # rows from the forehead down, columns from left to right (`imaging.normalise`)


class Axes:
    """Turns of patches [batch, channels, *sides].

    Parameters
    ----------
    view : braindino.settings.views.SliceView or VolumeView
        The encoder's own input.
    """

    def __init__(self, view):
        sliced = view.kind == "slices"
        given, wanted = (READ_AS[1:], UPRIGHT) if sliced else (READ_AS, view.axcodes)
        place, sign = ornt_transform(axcodes2ornt(given), axcodes2ornt(wanted)).T
        self.order = [int(axis) for axis in np.argsort(place)]
        self.place = [int(axis) for axis in place]
        self.turned = [2 + axis for axis, turn in zip(self.place, sign, strict=True) if turn < 0]

    def there(self, patch):
        """Turn a patch of nnU-Net's to the encoder's axes."""
        return _permuted(patch, self.order).flip(self.turned)

    def back(self, patch):
        """Turn what belongs to the encoder's axes to nnU-Net's."""
        return _permuted(patch.flip(self.turned), self.place)

    def size_of_patch(self, size):
        """Return the sides of nnU-Net's patch that becomes `size` for the encoder."""
        return [size[axis] for axis in self.place]


def _permuted(patch, order):
    return patch.permute(0, 1, *(2 + axis for axis in order))
