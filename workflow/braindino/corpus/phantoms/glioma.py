"""Patients with a glioma: BraTS 2021, its re-release and UCSF-PDGM share some of them."""

from typing import NamedTuple

import numpy as np

from braindino.corpus.phantoms.anatomy import Person
from braindino.corpus.phantoms.tumour import ENHANCING, NECROSIS
from braindino.seeds import derive_rng

# Years; glioblastoma (IDH-wildtype) is a disease of the old, mutated gliomas of the young.
AGES = {"GBM": (45, 85), "IDH": (24, 50)}
MUTATED = 4  # one in; assumed, more than the archives' one in five: small cohorts need both


class Glioma(NamedTuple):
    """A patient and their kind of tumour, a key of `tumour.KINDS`: GBM or IDH (mutated)."""

    person: Person
    kind: str


def draw_glioma(subject, index, seed):
    """Draw the patient `subject`, the `index`-th of a cohort."""
    kind = "IDH" if index % MUTATED == 1 else "GBM"
    rng = derive_rng("phantom glioma", seed, subject)
    return Glioma(
        Person(subject, rng.uniform(*AGES[kind]), str(rng.choice(["M", "F"])), seed), kind
    )


def brats_glioma(index, seed):
    """Draw the `index`-th patient of BraTS 2021, the same however many the cohort has.

    Returns
    -------
    number : int
        The case's, in BraTS 2021 and in its re-release; numbers have gaps.
    patient : Glioma
    """
    number = 3 * index + int(derive_rng("phantom BraTS2021", seed, index).integers(3))
    return number, draw_glioma(f"BraTS2021_{number:05d}", index, seed)


def survival_days(age, labels, voxel, rng):
    """Draw how many days a patient lives after surgery.

    Assumed: a median of 400 days at 65 years with 9 ml of necrotic and enhancing tumour. Time
    halves where the tumour is half as large again, and with every 17 years; deaths scatter around
    their time by a Weibull law of shape 3. The tumour's part is stronger than in life, so that a
    small encoder can see it.

    Parameters
    ----------
    age : float
        Years.
    labels : ndarray
        Label map as of `tumour.grow_tumour`.
    voxel : float
        Volume of a voxel in mm³.
    rng : numpy.random.Generator
    """
    core = voxel / 1000 * np.isin(labels, [NECROSIS, ENHANCING]).sum()
    halvings = np.log(max(core, 0.1) / 9) / np.log(1.5) + (age - 65) / 17
    days = 400 * 2.0**-halvings * (rng.exponential() / np.log(2)) ** (1 / 3)
    return int(np.clip(days, 3, 4000))
