"""Atrophy: fluid takes the place of tissue, in the hippocampi or around the ventricles."""

import itertools

import numpy as np
import torch

from braindino.corpus.phantoms.anatomy import EDGE
from braindino.corpus.phantoms.fields import sigmoid
from braindino.corpus.phantoms.template import load_template

# MNI mm (|x|, y, z) of the hippocampus' head, body and tail, and its radius in mm: read off the
# template; a tube is as much of its shape as these voxels can show.
HIPPOCAMPUS = ((24, -10, -21), (28, -22, -15), (26, -36, -4))
RADIUS = 9.0


def lose_hippocampus(anatomy, severity):
    """Shrink both hippocampi of an anatomy, in place; fluid fills the room.

    Parameters
    ----------
    anatomy : braindino.corpus.phantoms.anatomy.Anatomy
        With the tissues grey, white and csf.
    severity : float
        Share of the tissue that is lost: 0 none, 1 all. In life about 0.25 is lost in mild
        Alzheimer's disease; a small encoder needs more to see it (assumed: about 0.7).
    """
    near = distance_to_hippocampus(anatomy.points) - RADIUS
    _become_fluid(anatomy, severity * sigmoid(-near / EDGE))


def widen_ventricles(anatomy, reach):
    """Move the ventricles' wall `reach` mm beyond the template's, in place, where it lies nearer.

    Ageing alone moves it there in about 13 years a millimetre, from 20 years on (`anatomy`).
    """
    template = load_template()
    distances = template._replace(maps=template.maps[3:])  # to the wall alone
    wall = distances.sample(torch.from_numpy(anatomy.points))[0]
    _become_fluid(anatomy, sigmoid((reach - wall) / EDGE))


def distance_to_hippocampus(points):
    """Distance in mm of template points `[3, ...]` to the axis of the nearer hippocampus."""
    mirrored = np.stack([np.abs(points[0]), *points[1:]])
    ends = itertools.pairwise(HIPPOCAMPUS)
    return np.minimum(*(_distance_to_segment(mirrored, *pair) for pair in ends))


def _distance_to_segment(points, start, end):
    start, along = np.float32(start), np.subtract(end, start, dtype=np.float32)
    offset = points - start[:, None, None, None]
    share = np.clip(np.tensordot(along, offset, 1) / (along @ along), 0, 1)
    return np.sqrt(((offset - along[:, None, None, None] * share) ** 2).sum(0))


def _become_fluid(anatomy, share):
    tissues = anatomy.tissues
    for name in ("grey", "white"):
        lost = tissues[name] * share.astype(np.float32)
        tissues[name] = tissues[name] - lost
        tissues["csf"] = tissues["csf"] + lost
