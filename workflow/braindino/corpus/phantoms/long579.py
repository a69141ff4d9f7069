"""LONG579: OpenNeuro ds003604, children scanned at about 5, 7 and 9 years."""

import datetime

import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan, write_bids_root
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.seeds import derive_rng

SCANNER = Scanner(gain=420, noise=0.03, bias=0.12, contrast=1.05)
FIELD_OF_VIEW = (176.0, 240.0, 256.0)  # mm, RAS
# Ages in years of each session (Wang et al. 2022, abstract).
SESSIONS = {"5": (5.5, 6.5), "7": (7.0, 8.0), "9": (8.5, 10.0)}
# Patterns of attendance: some joined at 7, most missed a session.
ATTENDANCE = (("5", "7", "9"), ("7", "9"), ("5", "7"), ("7",))


def write_long579(folder, subjects, spacing, seed):
    """Write LONG579, skull-stripped: one to three sessions a child and `participants.tsv`.

    As in the archive there is no age: the table gives a birth date and the dates of the sessions'
    tests, all shifted to the 19th century. The first child's first session has a second T1w.
    """
    table = pd.DataFrame([_participant(i, seed) for i in range(subjects)], dtype=object)
    name = "A longitudinal neuroimaging dataset on language processing in children"
    write_bids_root(folder, name, "CC0", table.drop(columns="ages"))
    field = Grid.covering(FIELD_OF_VIEW, (spacing,) * 3)
    for i, row in enumerate(table.to_dict("records")):
        for session, age in row["ages"].items():
            person = Person(row["participant_id"], age, row["sex"][0], seed)
            series = ("D1S2", "D1S7") if (i, session) == (0, "5") else ("D1S2",)
            _write_session(folder, person, session, series, field)


def _participant(index, seed):
    rng = derive_rng("LONG579", seed, index)
    birth = datetime.date(1808, 1, 1) + datetime.timedelta(int(rng.integers(0, 1500)))
    ages = {s: float(rng.uniform(*SESSIONS[s])) for s in ATTENDANCE[index % len(ATTENDANCE)]}
    tested = {s: birth + datetime.timedelta(round(365.25 * age)) for s, age in ages.items()}
    return {
        "participant_id": f"sub-{5003 + 7 * index}",
        "birthdate": birth,
        "sex": str(rng.choice(["Male", "Female"])),
        **{f"handedness_ses-{s}": 5 if s in ages else None for s in SESSIONS},
        **{f"ses-{s}_date_ST": tested.get(s) for s in SESSIONS},
        **{f"ses-{s}_grade": int(age) - 5 if (age := ages.get(s)) else None for s in SESSIONS},
        "ages": ages,
    }


def _write_session(folder, person, session, series, field):
    anatomy = build_anatomy(person, field.spacing)
    visit = f"{person.subject}_ses-{session}"
    for name in series:
        rng = derive_rng("LONG579", person.seed, visit, name)
        scan = scan_brain(anatomy, "T1w", SCANNER, field, rng)
        path = (
            folder / person.subject / f"ses-{session}" / "anat" / f"{visit}_acq-{name}_T1w.nii.gz"
        )
        save_scan(scan, field, path)
