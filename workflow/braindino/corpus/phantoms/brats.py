"""BraTS challenges: four registered contrasts and a label map a case, on one atlas grid."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.glioma import AGES as GLIOMA_AGES
from braindino.corpus.phantoms.glioma import brats_glioma
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.corpus.phantoms.tumour import ENHANCING, grow_tumour
from braindino.seeds import derive_rng

EXTENT = (240.0, 240.0, 155.0)  # mm; the atlas grid of every BraTS scan
OLD = {"t1": "T1w", "t1ce": "T1c", "t2": "T2w", "flair": "FLAIR"}
NEW = {"t1n": "T1w", "t1c": "T1c", "t2w": "T2w", "t2f": "FLAIR"}
# Years.
AGES = GLIOMA_AGES | {"MEN": (35, 85), "SSA": (20, 70), "PED": (3, 18), "MET": (40, 80)}


class Challenge(NamedTuple):
    """How a challenge names its cases, and which tumours they have.

    Attributes
    ----------
    case : str
        Name of a case's folder, by its number.
    kinds : tuple of str
        Tumours, in turn; empty: the gliomas of BraTS 2021.
    highest : int
        Highest case number, roughly.
    suffixes : dict of str to str
        Contrast by the end of a file's name.
    joint : str
        Joins the case's name and the suffix.
    enhancing : int
        Label value of the enhancing part.
    folders : tuple of str
        Folders that hold the cases, in turn.
    """

    case: str
    kinds: tuple = ()
    highest: int = 0
    suffixes: dict = NEW
    joint: str = "-"
    enhancing: int = ENHANCING
    folders: tuple = (".",)


MET = "ASNR-MICCAI-BraTS2023-MET-Challenge-TrainingData"
CHALLENGES = {
    "BraTS2021": Challenge("BraTS2021_{:05d}", suffixes=OLD, joint="_", enhancing=4),
    "BraTS2025-GLI-PRE": Challenge("BraTS-GLI-{:05d}-000"),
    "BraTS2023-MEN": Challenge("BraTS-MEN-{:05d}-000", ("MEN",), 1395),
    "BraTS2023-SSA": Challenge("BraTS-SSA-{:05d}-000", ("SSA",), 240),
    "BraTS2023-PED": Challenge("BraTS-PED-{:05d}-000", ("PED",), 165),
    "BraTS2023-Mets": Challenge(
        "BraTS-MET-{:05d}-000", ("MET",), 400, folders=(MET, MET, f"{MET}_Additional")
    ),
    "BraTS2024-GoAT": Challenge("BraTS-GoAT-{:05d}", ("GBM", "MEN", "MET", "SSA", "PED"), 2500),
}


def write_brats(name, folder, subjects, spacing, seed):
    """Write the challenge `name`: one time point a patient, numbers with gaps.

    BraTS2025-GLI-PRE repeats the cases of BraTS2021 under other names and label values.
    """
    challenge, field = CHALLENGES[name], atlas_grid(spacing)
    for index, (number, person, kind) in enumerate(_patients(name, subjects, seed)):
        case = challenge.case.format(number)
        stem = folder / challenge.folders[index % len(challenge.folders)] / case / case
        anatomy = build_anatomy(person, field.spacing, registered=True)
        labels = grow_tumour(anatomy, kind)
        rng = derive_rng("BraTS", seed, person.subject)
        for suffix, contrast in challenge.suffixes.items():
            scan = scan_brain(anatomy, contrast, _any_scanner(kind, rng), field, rng)
            save_registered(scan, field, f"{stem}{challenge.joint}{suffix}.nii.gz")
        labels = renumbered(labels, challenge.enhancing)
        save_registered(field.fit(labels), field, f"{stem}{challenge.joint}seg.nii.gz")


def atlas_grid(spacing):
    """Grid of the scans, of `spacing` mm where the archives have 1."""
    return Grid.covering(EXTENT, (spacing,) * 3)


def save_registered(scan, field, path):
    """Save a scan or label map with the header of the BraTS atlas."""
    origin = (0.0, field.spacing[1] * (field.shape[1] - 1), 0.0)
    save_scan(scan.astype(np.int16), field, Path(path), "LPS", origin)


def renumbered(labels, enhancing):
    """Give the enhancing part its label value: 4 until 2022, 3 since."""
    return np.where(labels == ENHANCING, np.uint8(enhancing), labels)


def _patients(name, subjects, seed):
    """List number, person and kind of tumour of each case."""
    challenge = CHALLENGES[name]
    if not challenge.kinds:
        gliomas = [brats_glioma(index, seed) for index in range(subjects)]
        return [(number, patient.person, patient.kind) for number, patient in gliomas]
    rng = derive_rng("BraTS", name, seed)
    highest = max(challenge.highest, 2 * subjects)
    numbers = np.sort(rng.choice(np.arange(2, highest), subjects, replace=False))
    kinds = [challenge.kinds[i % len(challenge.kinds)] for i in range(subjects)]
    return [
        (number, _person(challenge.case.format(number), kind, seed), kind)
        for number, kind in zip(numbers, kinds, strict=True)
    ]


def _person(case, kind, seed):
    rng = derive_rng("BraTS patient", seed, case)
    return Person(case, rng.uniform(*AGES[kind]), str(rng.choice(["M", "F"])), seed)


def _any_scanner(kind, rng):
    """Draw a scanner: the cases come from many clinics, the Sub-Saharan ones with thick slices."""
    thickness = rng.uniform(2, 5) if kind == "SSA" else rng.uniform(0, 2)
    return Scanner(
        gain=rng.uniform(200, 1400),
        noise=rng.uniform(0.015, 0.05),
        bias=rng.uniform(0.04, 0.12),
        contrast=rng.uniform(0.9, 1.1),
        blur=(0.0, 0.0, thickness),
    )
