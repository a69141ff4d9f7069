"""ABIDE: autism and controls of many sites, in the layout and with the tables of both releases."""

import numpy as np
import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.atrophy import widen_ventricles
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.people import alternate, spread
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.files import write_table
from braindino.seeds import derive_rng

FIELD_OF_VIEW = (176.0, 208.0, 208.0)  # mm, RAS
AUTISM, CONTROL = 1, 2  # DX_GROUP
MALES = 0.85  # share of males (Di Martino et al. 2014: 948 of 1,112)
MISSING = -9999
# The ventricles' wall of people with autism, in mm beyond the template's. Assumed: in life the
# groups overlap and no single measure tells them apart; here a small encoder must find one.
AUTISM_VENTRICLES = 3.0
SITES = {
    "NYU": Scanner(gain=450, noise=0.025, bias=0.08),
    "UCLA": Scanner(gain=700, noise=0.03, bias=0.12, contrast=1.05),
    "KKI": Scanner(gain=1100, noise=0.02, bias=0.1, contrast=0.95),
}


def write_abide(folder, subjects, spacing, seed):
    """Write ABIDE I and II, skull-stripped: one T1w a subject and each release's csv.

    As in the archive, the first table writes -9999 and the second leaves a blank where a value
    is missing, SUB_ID drops the leading zeros of the first release's folders, the second has a
    space after AGE_AT_SCAN, and one row of each has no scan.
    """
    rng = derive_rng("ABIDE", seed)
    first, second = _people(rng, subjects - subjects // 2), _people(rng, subjects // 2)
    first["SUB_ID"], second["SUB_ID"] = 50002 + 3 * first.index, 28675 + 5 * second.index
    second["SITE_ID"] = "ABIDEII-" + second["SITE_ID"] + "_1"
    for release, table in (("ABIDE_I", first), ("ABIDE_II", second)):
        for row in table.iloc[:-1].to_dict("records"):
            _write_subject(folder / release, row, spacing, seed)
    first["FIQ"] = first["FIQ"].fillna(MISSING)
    first.loc[0, "AGE_AT_SCAN"] = MISSING
    write_table(first, folder / "ABIDE_I" / "Phenotypic_V1_0b.csv")
    second = second.rename(columns={"AGE_AT_SCAN": "AGE_AT_SCAN "})
    write_table(second, folder / "ABIDE_II" / "ABIDEII_Composite_Phenotypic.csv")


def _people(rng, count):
    """Draw `count` subjects with a scan and one without."""
    count += 1
    return pd.DataFrame(
        {
            "SITE_ID": np.resize(list(SITES), count),
            "SUB_ID": 0,
            "DX_GROUP": alternate(rng, [AUTISM, CONTROL], count),
            "AGE_AT_SCAN": spread(rng, 6, 40, count).round(2),
            "SEX": np.where(rng.random(count) < MALES, 1, 2),
            "FIQ": np.where(rng.random(count) < 0.8, rng.normal(106, 15, count).round(), np.nan),
        }
    )


def _write_subject(folder, row, spacing, seed):
    site, number = row["SITE_ID"], row["SUB_ID"]
    sex = {1: "M", 2: "F"}[row["SEX"]]
    field = Grid.covering(FIELD_OF_VIEW, (spacing,) * 3)
    person = Person(f"ABIDE {number}", row["AGE_AT_SCAN"], sex, seed)
    anatomy = build_anatomy(person, field.spacing)
    if row["DX_GROUP"] == AUTISM:
        widen_ventricles(anatomy, AUTISM_VENTRICLES)
    scanner = SITES[site.removeprefix("ABIDEII-").removesuffix("_1")]
    scan = scan_brain(anatomy, "T1w", scanner, field, derive_rng("ABIDE", seed, number))
    subject, name = (number, "anat") if site.startswith("ABIDEII") else (f"{number:07d}", "mprage")
    path = folder / site / f"{subject}" / "session_1" / "anat_1" / f"{name}.nii.gz"
    save_scan(scan, field, path, "PIR" if site == "NYU" else "RAS")
