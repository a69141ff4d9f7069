"""UCSF-PDGM: gliomas of one hospital, with IDH status; some are in BraTS 2021 too."""

import pandas as pd

from braindino.corpus.phantoms.anatomy import build_anatomy
from braindino.corpus.phantoms.brats import atlas_grid, renumbered, save_registered
from braindino.corpus.phantoms.glioma import brats_glioma, draw_glioma, survival_days
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.corpus.phantoms.tumour import grow_tumour
from braindino.files import written_whole
from braindino.seeds import derive_rng

SCANNER = Scanner(gain=700, noise=0.02, bias=0.08)
CONTRASTS = {"T1": "T1w", "T1c": "T1c", "T2": "T2w", "FLAIR": "FLAIR"}
SHARED = 3  # every third patient is a case of BraTS 2021; of the archive's exams, three in five
# Spellings of a status other than wildtype.
MUTATIONS = ("unknown", "mutated (NOS)", "IDH1 p.R132C", "IDH1 p.R132H", "IDH1 p.Arg132His")
# Patients, by their place in the cohort, with a gap or an extra.
WITH_ADC, WITHOUT_FLAIR, WITHOUT_LABELS = 0, 2, 3


def write_ucsf_pdgm(folder, subjects, spacing, seed):
    """Write UCSF-PDGM: ids have four digits in the folders and three in the table.

    One patient has a diffusion map too, one has no FLAIR and one no segmentation.
    """
    rows = [_write_exam(folder, index, spacing, seed) for index in range(subjects)]
    with written_whole(folder / "UCSF-PDGM-metadata_v2.csv") as part:
        pd.DataFrame(rows).to_csv(part, index=False, lineterminator="\n")


def _write_exam(folder, index, spacing, seed):
    """Write a patient's exam; return their row of the table."""
    number = 4 + 2 * index + index // 5
    exam = f"UCSF-PDGM-{number:04d}"
    stem = folder / "UCSF-PDGM-v3" / f"{exam}_nifti" / exam
    case, patient = _patient(exam, index, seed)
    field = atlas_grid(spacing)
    anatomy = build_anatomy(patient.person, field.spacing, registered=True)
    labels = grow_tumour(anatomy, patient.kind)
    rng = derive_rng("UCSF-PDGM", seed, exam)
    for name, contrast in _volumes(index).items():
        scan = scan_brain(anatomy, contrast, SCANNER, field, rng)
        save_registered(scan, field, f"{stem}_{name}.nii.gz")
    save_registered(field.fit(anatomy.brain), field, f"{stem}_brain_segmentation.nii.gz")
    if index != WITHOUT_LABELS:
        tumour = field.fit(renumbered(labels, 4))
        save_registered(tumour, field, f"{stem}_tumor_segmentation.nii.gz")
    days = survival_days(patient.person.age, labels, spacing**3, rng)
    return _row(f"UCSF-PDGM-{number:03d}", index, case, patient, days, rng)


def _patient(exam, index, seed):
    if index % SHARED:
        return "", draw_glioma(exam, index, seed)
    number, patient = brats_glioma(index // SHARED, seed)
    return f"BraTS2021_{number:05d}", patient


def _volumes(index):
    volumes = dict(CONTRASTS)
    if index == WITHOUT_FLAIR:
        del volumes["FLAIR"]
    return volumes | ({"ADC": "T2w"} if index == WITH_ADC else {})


def _row(key, index, case, patient, days, rng):
    mutated = patient.kind == "IDH"
    followed = int(rng.uniform(200, 2500))  # days, assumed
    return {
        "ID": key,
        "Sex": patient.person.sex,
        "Age at MRI": int(patient.person.age),
        "WHO CNS Grade": 2 if mutated else 4,
        "Final pathologic diagnosis (WHO 2021)": (
            "Astrocytoma, IDH-mutant" if mutated else "Glioblastoma, IDH-wildtype"
        ),
        "MGMT status": str(rng.choice(["positive", "negative", "indeterminate"])),
        "MGMT index": int(rng.integers(0, 18)),
        "1p/19q": "intact" if mutated else "unknown",
        "IDH": MUTATIONS[index % len(MUTATIONS)] if mutated else "wildtype",
        "1-dead 0-alive": int(days <= followed),
        "OS": min(days, followed),
        "EOR": str(rng.choice(["GTR", "STR", "biopsy"])),
        "Biopsy prior to imaging": "No",
        "BraTS21 ID": case,
        "BraTS21 Segmentation Cohort": "Training" if case else "",
        "BraTS21 MGMT Cohort": "Training" if case else "",
    }
