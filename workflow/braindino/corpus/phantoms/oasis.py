"""OASIS-1: 18 to 96 years, Analyze scans in Talairach space, dementia rated above 60."""

import numpy as np
import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_analyze
from braindino.corpus.phantoms.atrophy import lose_hippocampus
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.people import alternate, spread
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.files import write_table
from braindino.seeds import derive_rng

SCANNER = Scanner(gain=1800, noise=0.03, bias=0.03)  # four scans averaged, gain-field corrected
EXTENT = (176.0, 208.0, 176.0)  # mm; the grid of the archive's T88_111 scans
HIGHEST = 457  # of the subjects' numbers, which have gaps
DISCS = 12
# Hippocampal loss by the clinical dementia rating, and the years by which the brain looks older,
# with ventricles to match. Assumed: larger than in life, so that a small encoder sees them.
SEVERITY = {0.0: 0.0, 0.5: 0.7, 1.0: 0.85, 2.0: 1.0}
YEARS_OLDER = {0.0: 0, 0.5: 32, 1.0: 40, 2.0: 48}
RATINGS = [0.5, 0.5, 1.0, 0.5, 1.0, 0.5, 2.0]  # of demented people, the mild ones first


def write_oasis(folder, subjects, spacing, seed):
    """Write OASIS-1, skull-stripped: `.hdr` and `.img` of each subject, and the archive's csv.

    A fifth are young and have no rating; the first of them came twice, as 20 did in the archive.
    The others are demented or not in equal parts, of equal ages. The archive strips no skull in
    these files; they are stripped here to spare the demo its skull stripping.
    """
    table = _people(derive_rng("OASIS", seed), subjects)
    for row in table.itertuples():
        _write_scan(folder, row, spacing, seed)
    archived = table.rename(columns={"Sex": "M/F"}).drop(columns="number")
    write_table(archived, folder / "oasis_cross-sectional.csv")


def _people(rng, count):
    young = max(count // 5, 1)
    ages = [*spread(rng, 18, 59, young), *_old_ages(rng, count - young)]
    numbers = rng.choice(np.arange(1, max(HIGHEST, count) + 1), count, replace=False)
    table = pd.DataFrame(
        {
            "ID": [f"OAS1_{number:04d}_MR1" for number in numbers],
            "Sex": alternate(rng, ["F", "M"], count),
            "Hand": "R",
            "Age": np.array(ages).astype(int),
            "CDR": [np.nan] * young + _ratings(count - young),
            "Delay": np.nan,
            "number": numbers,
        }
    )
    again = table.iloc[[0]].assign(ID=table["ID"].iloc[0][:-1] + "2", Delay=21)
    return pd.concat([table, again]).sort_values("ID", ignore_index=True)


def _old_ages(rng, count):
    """Ages of a healthy and a demented half, drawn alike."""
    return [*spread(rng, 62, 92, count - count // 2), *spread(rng, 62, 92, count // 2)]


def _ratings(count):
    return [0.0] * (count - count // 2) + np.resize(RATINGS, count // 2).tolist()


def _write_scan(folder, row, spacing, seed):
    subject, rating = row.ID[:-4], 0.0 if np.isnan(row.CDR) else row.CDR
    field = Grid.covering(EXTENT, (spacing,) * 3)
    person = Person(subject, row.Age + YEARS_OLDER[rating], row.Sex, seed)
    anatomy = build_anatomy(person, field.spacing, registered=True)
    lose_hippocampus(anatomy, SEVERITY[rating])
    scan = scan_brain(anatomy, "T1w", SCANNER, field, derive_rng("OASIS", seed, row.ID))
    place = folder / f"disc{1 + (row.number - 1) % DISCS}" / row.ID / "PROCESSED/MPRAGE/T88_111"
    save_analyze(scan, field, place / f"{row.ID}_mpr_n4_anon_111_t88_gfc.img")
