"""BraTS 2023: three tumour cohorts, four registered contrasts and a label map a case."""

import numpy as np

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.corpus.phantoms.tumour import grow_tumour
from braindino.seeds import derive_rng

EXTENT = (240.0, 240.0, 155.0)  # mm; the atlas grid of every BraTS scan
CONTRASTS = {"t1n": "T1w", "t1c": "T1c", "t2w": "T2w", "t2f": "FLAIR"}
# Highest case number of each training set, roughly, and the patients' ages in years.
NUMBERS = {"MEN": 1395, "SSA": 240, "PED": 165}
AGES = {"MEN": (35, 85), "SSA": (20, 70), "PED": (3, 18)}


def write_brats(kind, folder, subjects, spacing, seed):
    """Write a BraTS 2023 cohort: one time point a patient, numbers with gaps."""
    rng = derive_rng("BraTS2023", kind, seed)
    field = Grid.covering(EXTENT, (spacing,) * 3)
    highest = max(NUMBERS[kind], 2 * subjects)
    for number in np.sort(rng.choice(np.arange(2, highest), subjects, replace=False)):
        _write_case(kind, folder, f"BraTS-{kind}-{number:05d}-000", field, seed)


def _write_case(kind, folder, case, field, seed):
    rng = derive_rng("BraTS2023", seed, case)
    person = Person(case, rng.uniform(*AGES[kind]), str(rng.choice(["M", "F"])), seed)
    anatomy = build_anatomy(person, field.spacing, registered=True)
    labels = grow_tumour(anatomy, kind, rng)
    for suffix, contrast in CONTRASTS.items():
        scanner = _any_scanner(kind, rng)
        scan = scan_brain(anatomy, contrast, scanner, field, rng)
        _save(scan, field, folder / case / f"{case}-{suffix}.nii.gz")
    _save(field.fit(labels), field, folder / case / f"{case}-seg.nii.gz")


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


def _save(scan, field, path):
    origin = (0.0, field.spacing[1] * (field.shape[1] - 1), 0.0)
    save_scan(scan.astype(np.int16), field, path, "LPS", origin)
