"""Individuals: the template warped, resized and aged, as fractions of tissue."""

from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage

from braindino.corpus.phantoms.fields import Grid, sigmoid, smooth_field
from braindino.corpus.phantoms.template import load_template
from braindino.corpus.phantoms.vessels import share_of_plexus, share_of_vessels
from braindino.seeds import derive_rng

CENTRE = (0.0, -17.0, 5.0)  # MNI mm; middle of the template brain's box
# Boxes in mm that hold every brain, and every head.
BRAIN_BOX = (160.0, 196.0, 172.0)
HEAD_BOX = (180.0, 224.0, 200.0)
WARP_SCALE, WARP_SD = 30.0, 2.5  # mm; neighbours of one lobe move together, by up to about 1 cm
ATLAS_SIZE = 0.87  # of the template; assumed, so that a brain fits the BraTS grid of 155 mm
TILT = 4.0  # degrees; SD of a head's rotations in the scanner
EDGE = 0.6  # mm; softness of a border between tissues
# Layers of the head outside the brain, by their outer border in mm (DESIGN section 7).
LAYERS = {"csf": 3.0, "skull": 8.0, "scalp": 14.0}


class Person(NamedTuple):
    """One subject at one visit; the same `subject` and `seed` have the same anatomy."""

    subject: str
    age: float
    sex: str
    seed: int


class Anatomy(NamedTuple):
    """What is where, in a box around the brain or the head.

    Attributes
    ----------
    tissues : dict of str to ndarray
        Fraction of each tissue in each voxel.
    brain : ndarray
        Boolean mask.
    points : ndarray
        Template position in mm of each voxel, `[3, x, y, z]`.
    grid : Grid
    person : Person
    """

    tissues: dict
    brain: np.ndarray
    points: np.ndarray
    grid: Grid
    person: Person


def build_anatomy(person, spacing, registered=False, whole_head=False):
    """Make a person's anatomy.

    Parameters
    ----------
    person : Person
    spacing : tuple of float
        mm along the RAS axes.
    registered : bool
        Whether pose and size are those of an atlas.
    whole_head : bool
        Whether fluid, skull and scalp surround the brain.
    """
    grid = Grid.covering(HEAD_BOX if whole_head else BRAIN_BOX, spacing)
    points = _template_points(person, grid, registered)
    grey, white, surface, ventricle = load_template().sample(torch.from_numpy(points))
    tissues = _aged(grey, white, surface, ventricle, points, person, grid)
    brain = surface < 0
    if whole_head:
        tissues = _with_head(tissues, surface)
    return Anatomy(tissues, brain, points, grid, person)


def _template_points(person, grid, registered):
    """Map the voxels of a person's scan into the template: pose and size, then a smooth warp."""
    rng = derive_rng("phantom anatomy", person.seed, person.subject)
    matrix = np.eye(3) / ATLAS_SIZE if registered else _pose(person, rng)
    matrix = matrix.astype(np.float32)
    axes = np.meshgrid(*grid.axes(), indexing="ij", sparse=True)
    points = WARP_SD * smooth_field(rng, grid, WARP_SCALE, components=3)
    for row, centre, out in zip(matrix, CENTRE, points, strict=True):
        out += np.float32(centre)
        for weight, axis in zip(row, axes, strict=True):
            out += weight * axis
    return points


def _pose(person, rng):
    size = head_size(person) * (1 + 0.02 * rng.standard_normal(3))
    return _rotation(np.deg2rad(TILT) * rng.standard_normal(3)) / size[:, None]


def _rotation(angles):
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def head_size(person):
    """Size of a head relative to the template: children's are smaller, men's larger.

    Assumed: the template, an average of registered brains, is larger than life by a quarter of
    its volume; heads are 7 % smaller at birth and grown to within 1 % at 12; the sexes differ by
    3 %. Only the directions matter here.
    """
    return 0.92 * (1 - 0.07 * np.exp(-person.age / 6)) * (1.015 if person.sex == "M" else 0.985)


def _aged(grey, white, surface, ventricle, points, person, grid):
    """Widen the ventricles and the sulci with age.

    Assumed: in ten years the ventricles' wall moves 0.75 mm and sulci take up to a third of the
    grey matter beside them; individuals differ by about three years. Ageing is stronger than in
    life, so that a small encoder can see it. The crowns of the gyri stay where they are: were
    they to retreat, skull stripping would take the fluid above them for skull.
    """
    rng = derive_rng("phantom ageing", person.seed, person.subject)
    wear = max(person.age + 3 * rng.standard_normal(), 0) / 10
    fluid = np.clip(1 - grey - white, 0, 1) * (ventricle >= 2)
    white = np.where(ventricle < 2, 1 - grey, white)  # fill the ventricles, then draw our own
    gaps = ndimage.gaussian_filter(fluid, [2.5 / s for s in grid.spacing])
    depth = np.clip(-surface / 5, 0, 1)  # of the gyrus' crown, 5 mm
    sulci = np.minimum(0.36 * wear * np.sqrt(gaps) * depth, 0.9)
    chambers = sigmoid((0.75 * wear - 1.5 - ventricle) / EDGE)
    grey, white = grey * (1 - sulci) * (1 - chambers), white * (1 - chambers)
    around = (1 - grey - white) * (1 - chambers) * share_of_vessels(surface, points, person, grid)
    vessel = around + chambers * share_of_plexus(points)
    return {"grey": grey, "white": white, "csf": 1 - grey - white - vessel, "vessel": vessel}


def _with_head(tissues, surface):
    """Surround the brain by fluid, skull and scalp."""
    within = sigmoid(-surface / EDGE)
    head = {name: fraction * within for name, fraction in tissues.items()}
    for name, outer in LAYERS.items():
        reach = sigmoid((outer - surface) / EDGE)
        head[name] = head.get(name, 0) + reach - within
        within = reach
    return head
