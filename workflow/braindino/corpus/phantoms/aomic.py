"""AOMIC: three BIDS cohorts of Amsterdam, healthy adults (ID1000) and students (PIOP1, PIOP2)."""

from typing import NamedTuple

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan, write_bids_root
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.people import draw_adults
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.seeds import derive_rng


class Cohort(NamedTuple):
    """What tells the three apart; fields of view in mm, RAS (Snoek et al. 2021, Table 3)."""

    scanner: Scanner
    field_of_view: tuple
    ages: tuple
    sexes: dict


STUDENTS = Cohort(
    Scanner(gain=780, noise=0.02, bias=0.1),
    (188.0, 240.0, 220.0),
    (18.25, 26.25),
    {"F": "F", "M": "M"},
)
COHORTS = {
    "ID1000": Cohort(
        Scanner(gain=600, noise=0.03, bias=0.14, contrast=0.95),
        (160.0, 256.0, 256.0),
        (19, 26),
        {"F": "female", "M": "male"},
    ),
    "PIOP1": STUDENTS,
    "PIOP2": STUDENTS._replace(scanner=Scanner(gain=820, noise=0.022, bias=0.08)),
}


def write_aomic(name, folder, subjects, spacing, seed):
    """Write a cohort of AOMIC, skull-stripped: T1w scans and `participants.tsv`.

    One subject's age and sex are missing and the last row has no scan. ID1000 scans everybody
    three times; here only the first subject has `run-2` and `run-3`, to spare the demo rejects.
    """
    cohort, rng = COHORTS[name], derive_rng("AOMIC", name, seed)
    table = draw_adults(rng, *cohort.ages, subjects + 1)
    table.insert(0, "participant_id", [f"sub-{i + 1:04d}" for i in range(subjects + 1)])
    field = Grid.covering(cohort.field_of_view, (spacing,) * 3)
    for row in table.iloc[:-1].itertuples():
        person = Person(f"{name} {row.participant_id}", row.age, row.sex, seed)
        _write_scans(folder, row, _runs(name, row.Index), person, cohort.scanner, field)
    table["sex"] = table["sex"].map(cohort.sexes)
    table.loc[subjects // 2, ["age", "sex"]] = None
    write_bids_root(folder, f"AOMIC-{name}", "CC0", table)


def _runs(name, index):
    if name != "ID1000":
        return [""]
    return [f"_run-{run}" for run in ((1, 2, 3) if index == 0 else (1,))]


def _write_scans(folder, row, runs, person, scanner, field):
    anatomy, subject = build_anatomy(person, field.spacing), row.participant_id
    for run in runs:
        rng = derive_rng("AOMIC", person.seed, person.subject, run)
        scan = scan_brain(anatomy, "T1w", scanner, field, rng)
        save_scan(scan, field, folder / subject / "anat" / f"{subject}{run}_T1w.nii.gz", "LPS")
