"""What can be wrong with a scan: one function a kind, on the raw volume (paper §4.5).

Each takes a volume [x, y, z] (RAS+), its severity, the voxel spacing (mm) along x, y and z, and a
random generator seeded by the volume's id, from which every severity draws the same; it returns a
volume of that shape. The first three kinds are the paper's.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from monai.transforms import AdjustContrast, GibbsNoise
from numpy.polynomial.legendre import leggrid3d

from braindino.seeds import derive_rng

DEGREE = 3  # of the bias field; MONAI's default
BRIGHT = 99  # percentile that stands for the signal; the maximum may be one bright voxel
GHOSTS = 8  # assumed: periods of the motion while the lines are read, and so ghosts apart


def contrast(volume, gamma, _spacing, _rng):
    """Change the contrast: v' = min + range · ((v - min) / range)^γ, of the whole volume."""
    return AdjustContrast(gamma)(volume[None])[0].numpy()


def gibbs(volume, alpha, _spacing, _rng):
    """Cut k-space: v' = Re F⁻¹[F(v) · (|k - centre| ≤ (1 - α) · max(shape) / √2)].

    The distance is in samples of k-space, as in MONAI's GibbsNoise, so the cut is the same in all
    directions of a cube of equal voxels alone. MONAI cuts the corners of a cube at α = 0, too.
    """
    return GibbsNoise(alpha)(volume[None])[0].numpy()


def bias_field(volume, strength, _spacing, rng):
    """Multiply by a coil's field: v' = v · exp(s · Σ u_ijk P_i(x) P_j(y) P_k(z)), 0 < i+j+k ≤ 3.

    P are Legendre polynomials on [-1, 1] along each axis, and u is drawn from U(-1, 1). MONAI's
    RandBiasField with the range (s, s) has every u = 1, so all volumes the same field, and a gain
    (i = j = k = 0), which any normalisation undoes: both are left out here.
    """
    order = sum(np.indices((DEGREE + 1,) * 3))
    drawn = np.where((order > 0) & (order <= DEGREE), rng.uniform(-1, 1, order.shape), 0)
    axes = [np.linspace(-1, 1, size) for size in volume.shape]
    return volume * np.exp(strength * leggrid3d(*axes, drawn)).astype(np.float32)


def rician(volume, share, _spacing, rng):
    """Add a receiver's noise: v' = √((v + n₁)² + n₂²), n ~ N(0, σ), σ = s · 99th percentile."""
    sd = np.float32(share * np.percentile(volume, BRIGHT))
    real, imaginary = (rng.standard_normal(volume.shape, np.float32) * sd for _ in range(2))
    return np.hypot(volume + real, imaginary)


def ghosting(volume, amplitude, spacing, rng):
    """Move the head while k-space is read: v' = |F⁻¹[F(v) · exp(-2πi k d(k))]|.

    The lines k (cycles/mm, back to front) are read in order, and the head's place is
    d = a · sin(2π · 8 · line / lines + φ) mm, φ ~ U(0, 2π). Copies of the head lie an eighth of the
    field of view apart.
    """
    lines = volume.shape[1]
    frequency = np.fft.fftshift(np.fft.fftfreq(lines, spacing[1]))
    phase = 2 * np.pi * GHOSTS * np.arange(lines) / lines + rng.uniform(0, 2 * np.pi)
    shift = np.exp(-2j * np.pi * frequency * amplitude * np.sin(phase))
    factor = np.fft.ifftshift(shift).astype(np.complex64)[:, None]
    read = np.fft.ifft(np.fft.fft(volume, axis=1) * factor, axis=1)
    return np.abs(read).astype(np.float32)


def thick_slices(volume, thickness, spacing, _rng):
    """Average slabs of some mm along z, then interpolate linearly back onto the grid."""
    slabs = max(1, round(volume.shape[2] * spacing[2] / thickness))
    if slabs >= volume.shape[2]:
        return volume
    columns = torch.from_numpy(volume)
    thick = F.interpolate(columns, slabs, mode="area")
    return F.interpolate(thick, volume.shape[2], mode="linear", align_corners=False).numpy()


def flip(volume, _severity, _spacing, _rng):
    """Exchange left and right: v'(x, y, z) = v(-x, y, z), a negative control."""
    return volume[::-1].copy()


class Perturbation(NamedTuple):
    """A kind of perturbation.

    Attributes
    ----------
    apply : callable
        One of the functions above.
    title, symbol, unit : str
        What figures call it and its severity.
    clean : float
        The severity at which the volume is left as it is.
    moves : bool
        Whether it moves the brain: then masks and labels go with it.
    """

    apply: Callable
    title: str
    symbol: str
    unit: str = ""
    clean: float = 0.0
    moves: bool = False


PERTURBATIONS = {
    "contrast": Perturbation(contrast, "Contrast", "γ", clean=1.0),
    "gibbs": Perturbation(gibbs, "Gibbs", "α"),
    "bias_field": Perturbation(bias_field, "Bias field", "s"),
    "rician": Perturbation(rician, "Rician noise", "σ"),
    "ghosting": Perturbation(ghosting, "Motion ghosting", "a", "mm"),
    "thick_slices": Perturbation(thick_slices, "Thick slices", "t", "mm"),
    "flip": Perturbation(flip, "Left-right flip", "", moves=True),
}


def perturb(volume, spacing, volume_id, kind, severity, seed=0):
    """Perturb a raw volume.

    Parameters
    ----------
    volume : ndarray [x, y, z]
        RAS+ intensities.
    spacing : sequence of 3 floats
        Millimetres along x, y, z.
    volume_id : str
        Seeds what is drawn, the same at every severity.
    kind : str
        Of `PERTURBATIONS`.
    severity : float
    seed : int
        The run's seed.

    Returns
    -------
    ndarray [x, y, z]
        float32; at the clean severity the volume itself, bit for bit.
    """
    perturbation = PERTURBATIONS[kind]
    if severity == perturbation.clean:
        return volume
    given = np.ascontiguousarray(volume, np.float32)
    return perturbation.apply(given, severity, spacing, derive_rng(seed, volume_id, kind))
