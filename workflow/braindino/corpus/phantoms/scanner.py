"""Scanners: from tissues to the intensities of a contrast, with a scanner's own faults."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from braindino.corpus.phantoms.fields import smooth_field

# Signal of each tissue relative to white matter on T1w. Assumed: the order of the tissues on
# each contrast is textbook, the values are rounded from scans at 1.5 and 3 T. T1c is mostly a
# spin echo, in which grey and white matter differ half as much as in MPRAGE, and less still once
# the agent has brightened the grey. FLAIR parts them more than most scanners do, so that a small
# encoder sees it.
SIGNALS = {
    "T1w": {
        **{"grey": 0.72, "white": 1.0, "csf": 0.28, "vessel": 0.28, "skull": 0.1, "scalp": 1.15},
        **{"necrosis": 0.4, "oedema": 0.68, "enhancing": 0.66},
    },
    "T1c": {
        **{"grey": 0.86, "white": 1.0, "csf": 0.3, "vessel": 1.6, "skull": 0.15, "scalp": 1.25},
        **{"necrosis": 0.38, "oedema": 0.7, "enhancing": 1.6},
    },
    "T2w": {
        **{"grey": 0.56, "white": 0.38, "csf": 1.25, "vessel": 0.9, "skull": 0.1, "scalp": 0.75},
        **{"necrosis": 1.15, "oedema": 0.95, "enhancing": 0.75},
    },
    "FLAIR": {
        **{"grey": 0.74, "white": 0.48, "csf": 0.16, "vessel": 0.2, "skull": 0.1, "scalp": 0.8},
        **{"necrosis": 0.72, "oedema": 1.2, "enhancing": 1.0},
    },
    "PDw": {
        **{"grey": 0.92, "white": 0.76, "csf": 0.95, "vessel": 0.8, "skull": 0.12, "scalp": 0.8},
        **{"necrosis": 0.95, "oedema": 0.97, "enhancing": 0.9},
    },
}


class Scanner(NamedTuple):
    """A scanner as a site runs it.

    Attributes
    ----------
    gain : float
        Stored value of a signal of 1.
    noise : float
        SD of the noise in each channel, relative to a signal of 1.
    bias : float
        SD of the logarithm of the receive field.
    contrast : float
        Exponent on the signal: above 1, tissues differ more.
    blur : tuple of float
        FWHM in mm of the point spread along the RAS axes: thick slices.
    """

    gain: float
    noise: float
    bias: float
    contrast: float = 1.0
    blur: tuple = (0.0, 0.0, 0.0)


def scan_head(anatomy, contrast, scanner, field, rng):
    """Scan an anatomy, with noise in the air as well.

    Parameters
    ----------
    anatomy : braindino.corpus.phantoms.anatomy.Anatomy
    contrast : str
        T1w, T1c, T2w, FLAIR or PDw.
    scanner : Scanner
    field : braindino.corpus.phantoms.fields.Grid
        Voxels of the scan, of the anatomy's spacing.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        int16 in RAS order.
    """
    return _detect(field.fit(_signal(anatomy, contrast, scanner, rng)), scanner, rng)


def scan_brain(anatomy, contrast, scanner, field, rng):
    """Scan an anatomy and strip its skull: zero outside the brain, nowhere zero within.

    Parameters and result as of `scan_head`.
    """
    scan = _detect(_signal(anatomy, contrast, scanner, rng), scanner, rng)
    return field.fit(np.where(anatomy.brain, np.maximum(scan, 1), np.int16(0)))


def _signal(anatomy, contrast, scanner, rng):
    """Signal that reaches the coil: tissues, slice profile, receive field."""
    grid, signals = anatomy.grid, dict(SIGNALS[contrast])
    parted = myelination(anatomy.person.age)
    signals["white"] = signals["grey"] + parted * (signals["white"] - signals["grey"])
    signal = np.zeros(grid.shape, np.float32)
    for name, fraction in anatomy.tissues.items():
        signal += np.float32(signals[name] ** scanner.contrast) * fraction
    if any(scanner.blur):
        voxels = [fwhm / 2.355 / s for fwhm, s in zip(scanner.blur, grid.spacing, strict=True)]
        signal = ndimage.gaussian_filter(signal, voxels)
    return signal * np.exp(scanner.bias * smooth_field(rng, grid, 60.0)[0])


def _detect(signal, scanner, rng):
    """Store the magnitude of a complex signal: its noise is Rician (Gudbjartsson, Patz 1995)."""
    real, imaginary = rng.standard_normal((2, *signal.shape), dtype=np.float32)
    magnitude = np.hypot(signal + scanner.noise * real, scanner.noise * imaginary)
    return np.clip(np.rint(scanner.gain * magnitude), 0, 32767).astype(np.int16)


def myelination(age):
    """Share of the adult contrast between white and grey matter at an age in years.

    Assumed: two thirds at 3, nine tenths at 12.
    """
    return 1 - 0.5 * np.exp(-age / 7)
