"""Tumours: a core, an enhancing shell and oedema, with the BraTS label map."""

from typing import NamedTuple

import numpy as np

from braindino.corpus.phantoms.fields import smooth_field
from braindino.seeds import derive_rng

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
    count : tuple of int
        Range of the number of lesions.
    rough : float
        How far the borders leave the sphere: 0 is round, 1 ragged.
    """

    low: tuple
    high: tuple
    core: tuple
    shell: tuple
    oedema: tuple
    count: tuple = (1, 1)
    rough: float = 1.0


# Assumed from each challenge's own description: meningiomas arise from the meninges and enhance
# as a whole; the Sub-Saharan gliomas come late, large and with wide oedema; many of the
# paediatric ones are midline gliomas of the pons that enhance little. Metastases are several,
# small and round. Of the gliomas, IDH-wildtype glioblastomas necrotise and enhance to very
# different extent; mutated ones are frontal, and all but bare of both. After surgery little is
# left at first.
KINDS = {
    "MEN": Tumour((30, -50, 15), (45, 35, 45), (0, 3), (9, 15), (2, 9)),
    "SSA": Tumour((22, -50, 5), (36, 30, 32), (7, 12), (3, 5), (9, 16)),
    "PED": Tumour((0, -34, -38), (6, -24, -24), (8, 12), (1, 3), (3, 6)),
    "MET": Tumour((12, -60, 2), (42, 25, 42), (0, 2), (4, 7), (1, 5), (3, 6), 0.3),
    "GBM": Tumour((20, -55, 5), (36, 5, 30), (3, 15), (2, 6), (5, 14)),
    "IDH": Tumour((14, 24, 5), (32, 44, 35), (0, 2), (0, 1), (12, 20)),
    "recurrence": Tumour((20, -55, 5), (36, 5, 30), (2, 6), (1, 3), (5, 9)),
}


def grow_tumour(anatomy, kind):
    """Put a tumour into an anatomy; the same person has the same tumour of a kind.

    Parameters
    ----------
    anatomy : braindino.corpus.phantoms.anatomy.Anatomy
        Its tissues are changed in place and gain necrosis, oedema and enhancing.
    kind : str
        A key of `KINDS`.

    Returns
    -------
    ndarray
        uint8 label map: 1 necrosis, 2 oedema, 3 enhancing.
    """
    person = anatomy.person
    rng = derive_rng("phantom tumour", person.seed, person.subject)
    labels = _draw(anatomy, KINDS[kind], rng)
    for fraction in anatomy.tissues.values():
        fraction[labels > 0] = 0
    for value, name in TISSUES.items():
        anatomy.tissues[name] = (labels == value).astype(np.float32)
    return labels


def _draw(anatomy, tumour, rng):
    """Draw the label map: nested balls with rough borders; inner parts win over outer ones."""
    beyond = np.full((3, *anatomy.grid.shape), np.inf, np.float32)
    for _ in range(rng.integers(*tumour.count, endpoint=True)):
        np.minimum(beyond, _beyond(anatomy, tumour, rng), out=beyond)
    beyond[:2] += tumour.rough * ROUGH * smooth_field(rng, anatomy.grid, 7.0)
    beyond[2:] += tumour.rough * ROUGH_OEDEMA * smooth_field(rng, anatomy.grid, 9.0)
    core, shell, oedema = beyond < 0
    labels = np.zeros(anatomy.grid.shape, np.uint8)
    labels[oedema & (anatomy.tissues["csf"] < 0.6)] = OEDEMA  # it leaves fluid alone
    labels[shell] = ENHANCING
    labels[core] = NECROSIS
    return labels * anatomy.brain


def _beyond(anatomy, tumour, rng):
    """Distance in mm of each voxel from one lesion's core, shell and oedema, negative inside."""
    centre = rng.uniform(tumour.low, tumour.high) * [rng.choice([-1, 1]), 1, 1]
    radii = np.cumsum([rng.uniform(*part) for part in (tumour.core, tumour.shell, tumour.oedema)])
    centre, radii = (np.float32(v)[:, None, None, None] for v in (centre, radii))
    return np.sqrt(((anatomy.points - centre) ** 2).sum(0)) - radii
