"""UPENN-GBM: glioblastomas of one hospital, with survival after surgery."""

import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.brats import atlas_grid, renumbered, save_registered
from braindino.corpus.phantoms.glioma import AGES, survival_days
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.corpus.phantoms.tumour import grow_tumour
from braindino.files import written_whole
from braindino.seeds import derive_rng

SCANNER = Scanner(gain=450, noise=0.025, bias=0.1, contrast=1.05)
CONTRASTS = {"T1": "T1w", "T1GD": "T1c", "T2": "T2w", "FLAIR": "FLAIR"}
MISSING = "Not Available"
# Patients, by their place in the cohort, with a quirk.
FOLLOWED_UP, WITHOUT_LABELS, UNCERTAIN, OLDEST = 0, 1, 3, 4
CORRECTED = 4  # one in: as in the archive, a quarter of the label maps are corrected by hand
# Every sixth patient leaves the study within a year or drops out later, if alive: (days, days).
LEAVE = {2: (60, 365), 5: (366, 1200)}


def write_upenn_gbm(folder, subjects, spacing, seed):
    """Write UPENN-GBM: the day of death and of censoring lie in two columns of its table.

    One patient has a second time point, one no label map, one an uncertain day of death, and one
    is 89 or older.
    """
    rows = [
        row for index in range(subjects) for row in _write_patient(folder, index, spacing, seed)
    ]
    with written_whole(folder / "UPENN-GBM_clinical_info_v2.1.csv") as part:
        pd.DataFrame(rows).to_csv(part, index=False, lineterminator="\n")


def _write_patient(folder, index, spacing, seed):
    """Write a patient's scans; return their rows of the table, one a time point."""
    subject = f"UPENN-GBM-{1 + 2 * index + index // 7:05d}"
    rng = derive_rng("UPENN-GBM", seed, subject)
    age = 89.5 if index == OLDEST else rng.uniform(*AGES["GBM"])
    person = Person(subject, age, str(rng.choice(["M", "F"])), seed)
    labels = _write_scan(folder, person, "11", "GBM", index, spacing)
    days = survival_days(person.age, labels, spacing**3, rng)
    row = _row(index, person, days, rng)
    if index != FOLLOWED_UP:
        return [row]
    _write_scan(folder, person, "21", "recurrence", index, spacing)
    return [row, _follow_up(row, person)]


def _write_scan(folder, person, visit, kind, index, spacing):
    """Write one time point; label maps are made of the first alone. Return the label map."""
    scan_id = f"{person.subject}_{visit}"
    nifti, field = folder / "NIfTI-files", atlas_grid(spacing)
    anatomy = build_anatomy(person, field.spacing, registered=True)
    labels = grow_tumour(anatomy, kind)
    rng = derive_rng("UPENN-GBM scan", person.seed, scan_id)
    for name, contrast in CONTRASTS.items():
        scan = scan_brain(anatomy, contrast, SCANNER, field, rng)
        save_registered(
            scan, field, nifti / "images_structural" / scan_id / f"{scan_id}_{name}.nii.gz"
        )
    if visit == "11" and index != WITHOUT_LABELS:
        maps = [f"automated_segm/{scan_id}_automated_approx_segm.nii.gz"]
        maps += [f"images_segm/{scan_id}_segm.nii.gz"] if index % CORRECTED == 0 else []
        for path in maps:
            save_registered(field.fit(renumbered(labels, 4)), field, nifti / path)
    return labels


def _row(index, person, days, rng):
    death, status, censored = days, "Deceased", MISSING
    left = int(rng.uniform(*LEAVE.get(index % 6, (1500, 4000))))
    if left < days:
        death, censored = MISSING, left
        status = str(rng.choice(["Alive", "Lost to Follow-up"]))
    if index == UNCERTAIN:
        death, status, censored = MISSING, "Deceased - uncertain date of death", MISSING
    return {
        "ID": f"{person.subject}_11",
        "Gender": person.sex,
        "Age_at_scan_years": "89+" if person.age > 89 else f"{person.age:.2f}",
        "Survival_from_surgery_days_UPDATED": death,
        "Survival_Status": status,
        "Survival_Censor": censored,
        "Time_since_baseline_preop": 0,
        "PsP_TP_score": MISSING,
        "KPS": MISSING,
        "GTR_over90percent": str(rng.choice(["Y", "N"])),
        "IDH1": "Wildtype",
        "MGMT": str(rng.choice(["Methylated", "Unmethylated", "Indeterminate", MISSING])),
    }


def _follow_up(row, person):
    """Row of the second time point, 90 days on, from which survival is counted anew."""
    days = {
        name: max(row[name] - 90, 1)
        for name in ("Survival_from_surgery_days_UPDATED", "Survival_Censor")
        if row[name] != MISSING
    }
    visit = {
        "ID": f"{person.subject}_21",
        "Age_at_scan_years": f"{person.age + 90 / 365.25:.2f}",
        "Time_since_baseline_preop": 90,
        "PsP_TP_score": 3,
        "GTR_over90percent": "Not Applicable",
    }
    return row | days | visit
