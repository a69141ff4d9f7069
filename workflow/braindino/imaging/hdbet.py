"""HD-BET brain extraction (Isensee et al. 2019, the paper's §4.1.2), behind one interface."""

import numpy as np
from scipy import ndimage

from braindino.imaging.hdbet_2019 import PackagedNetworks
from braindino.imaging.hdbet_2024 import Release2


def load_backend(protocol, device):
    """Load the configured networks once; they serve every volume of a job.

    Parameters
    ----------
    protocol : braindino.settings.imaging.SkullStrip
    device : torch.device

    Returns
    -------
    HDBET
    """
    if protocol.backend == "hd-bet":
        return HDBET(Release2(protocol.weights, protocol.mirrored, device))
    count = 5 if protocol.mode == "accurate" else 1
    return HDBET(PackagedNetworks(count, protocol.mirrored, device))


class HDBET:
    """Loaded networks and what is the same for all of them.

    Volumes go through one by one: a head keeps all cores or the GPU busy, heads differ in shape,
    and padding them to a batch would cost more than the batch saves.

    Parameters
    ----------
    networks : callable
        Maps a head [z, y, x] in RAS+ and its spacing along these axes to a boolean mask.
    """

    def __init__(self, networks):
        self.networks = networks

    def brain_mask(self, volume, spacing):
        """Return the brain of a head as a boolean mask.

        Parameters
        ----------
        volume : ndarray [x, y, z]
            RAS+ intensities.
        spacing : sequence of 3 floats
            Millimetres along x, y, z.

        Returns
        -------
        ndarray [x, y, z] of bool
            One connected piece; empty where no brain was found.
        """
        # The networks were trained on SimpleITK's axes, [z, y, x].
        head = np.ascontiguousarray(volume.T, dtype=np.float32)
        return largest_component(self.networks(head, [float(s) for s in spacing[::-1]]).T)


def largest_component(mask):
    """Keep the largest face-connected component of a boolean mask; an empty one stays empty."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
