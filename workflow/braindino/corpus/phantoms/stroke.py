"""Stroke: an infarct whose swollen tissue gives way to a fluid-filled cavity."""

import numpy as np

from braindino.corpus.phantoms.fields import smooth_field

# Days in which two thirds of the lesion have turned into fluid. Assumed: infarcts cavitate within
# weeks to months.
CAVITATION = 90.0
RADIUS = (9.0, 20.0)  # mm
ROUGH = 3.0  # mm; SD by which the border leaves the sphere
# MNI mm (|x|, y, z) of a box around the territory of the middle cerebral artery.
LOW, HIGH = (22, -40, 0), (46, 24, 34)


def cavity_share(days):
    """Share of an infarct that is fluid at `days` after the stroke."""
    return 1 - np.exp(-days / CAVITATION)


def add_stroke(anatomy, days, rng):
    """Put an infarct of a given age into an anatomy.

    Parameters
    ----------
    anatomy : braindino.corpus.phantoms.anatomy.Anatomy
        Its tissues are changed in place and gain oedema.
    days : float
        Time since the stroke.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        uint8 mask of the lesion.
    """
    lesion, fluid = _draw(anatomy, rng), np.float32(cavity_share(days))
    for fraction in anatomy.tissues.values():
        fraction[lesion] = 0
    anatomy.tissues["csf"][lesion] = fluid
    anatomy.tissues["oedema"] = lesion * (1 - fluid)
    return lesion.astype(np.uint8)


def _draw(anatomy, rng):
    centre = rng.uniform(LOW, HIGH) * [rng.choice([-1, 1]), 1, 1]
    offset = anatomy.points - centre[:, None, None, None].astype(np.float32)
    radius = np.sqrt((offset**2).sum(0)) + ROUGH * smooth_field(rng, anatomy.grid, 9.0)[0]
    return (radius < rng.uniform(*RADIUS)) & anatomy.brain
