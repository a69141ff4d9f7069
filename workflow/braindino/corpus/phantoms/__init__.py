"""Phantom cohorts: real anatomy, known truth, each archive's own layout (DESIGN section 7)."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from braindino.corpus.phantoms.abide import write_abide
from braindino.corpus.phantoms.aomic import write_aomic
from braindino.corpus.phantoms.atlas import write_atlas
from braindino.corpus.phantoms.brats import CHALLENGES, write_brats
from braindino.corpus.phantoms.fastmri import write_fastmri
from braindino.corpus.phantoms.icbm import write_icbm
from braindino.corpus.phantoms.ixi import write_ixi
from braindino.corpus.phantoms.long579 import write_long579
from braindino.corpus.phantoms.loni import PROJECTS, write_loni
from braindino.corpus.phantoms.oasis import write_oasis
from braindino.corpus.phantoms.pixar import write_pixar
from braindino.corpus.phantoms.tcia import COLLECTIONS, write_tcia
from braindino.corpus.phantoms.template import load_template
from braindino.corpus.phantoms.ucsf_pdgm import write_ucsf_pdgm
from braindino.corpus.phantoms.upenn_gbm import write_upenn_gbm

COHORTS = {
    "ICBM": write_icbm,
    "ID1000": partial(write_aomic, "ID1000"),
    "PIOP1": partial(write_aomic, "PIOP1"),
    "PIOP2": partial(write_aomic, "PIOP2"),
    "ABIDE": write_abide,
    "OASIS": write_oasis,
    "ATLAS": write_atlas,
    "IXI": write_ixi,
    "LONG579": write_long579,
    "Pixar": write_pixar,
    "UCSF-PDGM": write_ucsf_pdgm,
    "UPENN-GBM": write_upenn_gbm,
    **{name: partial(write_brats, name) for name in CHALLENGES},
    **{name: partial(write_tcia, name) for name in COLLECTIONS},
    **{name: partial(write_loni, name) for name in PROJECTS},
    "fastMRI-Brain": write_fastmri,
}


def write_cohorts(folders, subjects, spacing, seed, workers):
    """Write several phantom cohorts, some at a time.

    Parameters
    ----------
    folders, subjects : dict
        Folder and number of subjects of each cohort; see `write_cohort`.
    spacing : float
    seed : int
    workers : int
        Processes.
    """
    load_template()  # once, before the workers part
    with ProcessPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        largest_first = sorted(folders, key=subjects.get, reverse=True)
        jobs = [
            pool.submit(write_cohort, name, folders[name], subjects[name], spacing, seed)
            for name in largest_first
        ]
        for job in tqdm(jobs, disable=None, unit="cohort"):
            job.result()


def write_cohort(name, folder, subjects, spacing=2.0, seed=0):
    """Write a phantom copy of a cohort, as its archive ships the real one.

    IXI consists of whole heads. The other cohorts are written skull-stripped, with exact zeros
    outside the brain: some archives are; the rest is stripped here to spare the demo its skull
    stripping.

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
