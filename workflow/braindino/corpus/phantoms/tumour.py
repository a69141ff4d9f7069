"""Tumours: a core, an enhancing shell and oedema, with the BraTS label map."""

from typing import NamedTuple

import numpy as np

from braindino.corpus.phantoms.fields import smooth_field

# BraTS 2023 label values.
NECROSIS, OEDEMA, ENHANCING = 1, 2, 3
TISSUES = {NECROSIS: "necrosis", OEDEMA: "oedema", ENHANCING: "enhancing"}
# SD in mm by which the tumour's and the oedema's borders leave the sphere.
ROUGH, ROUGH_OEDEMA = 1.5, 4.0


class Tumour(NamedTuple):
    """Where a kind of tumour grows, and how large its parts are.

    Attributes
    ----------
    low, high : tuple of float
        Corners in MNI mm (|x|, y, z) of the box that holds its centre.
    core : tuple of float
        Range in mm of the radius of the non-enhancing core.
    shell, oedema : tuple of float
        Ranges in mm of the thickness around it.
    """

    low: tuple
    high: tuple
    core: tuple
    shell: tuple
    oedema: tuple


# Assumed from each challenge's own description: meningiomas arise from the meninges and enhance
# as a whole; the Sub-Saharan gliomas come late, large and with wide oedema; many of the
# paediatric ones are midline gliomas of the pons that enhance little.
KINDS = {
    "MEN": Tumour((30, -50, 15), (45, 35, 45), (0, 3), (9, 15), (2, 9)),
    "SSA": Tumour((22, -50, 5), (36, 30, 32), (7, 12), (3, 5), (9, 16)),
    "PED": Tumour((0, -34, -38), (6, -24, -24), (8, 12), (1, 3), (3, 6)),
}


def grow_tumour(anatomy, kind, rng):
    """Put a tumour into an anatomy.

    Parameters
    ----------
    anatomy : braindino.corpus.phantoms.anatomy.Anatomy
        Its tissues are changed in place and gain necrosis, oedema and enhancing.
    kind : str
        A key of `KINDS`.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        uint8 label map: 1 necrosis, 2 oedema, 3 enhancing.
    """
    labels = _draw(anatomy, KINDS[kind], rng)
    for fraction in anatomy.tissues.values():
        fraction[labels > 0] = 0
    for value, name in TISSUES.items():
        anatomy.tissues[name] = (labels == value).astype(np.float32)
    return labels


def _draw(anatomy, tumour, rng):
    """Draw the label map: nested balls with rough borders."""
    centre = rng.uniform(tumour.low, tumour.high) * [rng.choice([-1, 1]), 1, 1]
    core, shell, oedema = (rng.uniform(*r) for r in (tumour.core, tumour.shell, tumour.oedema))
    offset = anatomy.points - centre[:, None, None, None].astype(np.float32)
    distance = np.sqrt((offset**2).sum(0))
    radius = distance + ROUGH * smooth_field(rng, anatomy.grid, 7.0)[0]
    reach = distance + ROUGH_OEDEMA * smooth_field(rng, anatomy.grid, 9.0)[0]
    labels = np.zeros(radius.shape, np.uint8)
    # Oedema leaves fluid alone.
    labels[(reach < core + shell + oedema) & (anatomy.tissues["csf"] < 0.6)] = OEDEMA
    labels[radius < core + shell] = ENHANCING
    labels[radius < core] = NECROSIS
    return labels * anatomy.brain
