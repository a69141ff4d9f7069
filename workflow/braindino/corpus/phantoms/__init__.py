"""Phantom cohorts: real anatomy, known truth, each archive's own layout (DESIGN section 7)."""

from functools import partial
from pathlib import Path

from braindino.corpus.phantoms.brats import write_brats
from braindino.corpus.phantoms.ixi import write_ixi
from braindino.corpus.phantoms.long579 import write_long579
from braindino.corpus.phantoms.pixar import write_pixar

COHORTS = {
    "IXI": write_ixi,
    "LONG579": write_long579,
    "Pixar": write_pixar,
    "BraTS2023-MEN": partial(write_brats, "MEN"),
    "BraTS2023-SSA": partial(write_brats, "SSA"),
    "BraTS2023-PED": partial(write_brats, "PED"),
}


def write_cohort(name, folder, subjects, spacing=2.0, seed=0):
    """Write a phantom copy of a cohort, as its archive ships the real one.

    IXI consists of whole heads. The other cohorts are written skull-stripped, with exact zeros
    outside the brain: the BraTS archives are, LONG579 and Pixar are not and are stripped here to
    spare the demo their skull stripping.

    Parameters
    ----------
    name : str
        Cohort, a key of `COHORTS`.
    folder : str or Path
        The cohort's own folder, the `folder` of its dataset card below the data root.
    subjects : int
        Subjects with scans.
    spacing : float
        In-plane voxel size in mm; the fields of view stay those of the archive.
    seed : int
        The same arguments write the same bytes.

    Raises
    ------
    ValueError
        When there is no phantom of that name, or fewer than two subjects.
    """
    if name not in COHORTS:
        raise ValueError(f"there is no phantom cohort '{name}'; known: {', '.join(COHORTS)}")
    if subjects < 2:
        raise ValueError(f"a phantom cohort has at least two subjects, not {subjects}")
    COHORTS[name](Path(folder), subjects, spacing, seed)
