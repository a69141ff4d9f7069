"""Pixar: OpenNeuro ds000228, children of 3 to 12 and adults who watched a short film."""

import numpy as np
import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan, write_bids_root
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.people import spread
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.seeds import derive_rng

SCANNER = Scanner(gain=650, noise=0.025, bias=0.06)
FIELD_OF_VIEW = (176.0, 192.0, 192.0)  # mm, RAS
CHILDREN = 122 / 155  # share in the archive, where the adults are pixar123 to pixar155
FIRST_ADULT = 123


def write_pixar(folder, subjects, spacing, seed):
    """Write Pixar, skull-stripped: one T1w a subject and `participants.tsv`."""
    table = _participants(subjects, seed)
    name = "MRI data of 3-12 year old children and adults during viewing of a short animated film"
    write_bids_root(folder, name, "CC0", table)
    field = Grid.covering(FIELD_OF_VIEW, (spacing,) * 3)
    for row in table.itertuples():
        person = Person(row.participant_id, row.Age, row.Gender, seed)
        anatomy = build_anatomy(person, field.spacing)
        rng = derive_rng("Pixar", seed, row.participant_id)
        scan = scan_brain(anatomy, "T1w", SCANNER, field, rng)
        path = folder / row.participant_id / "anat" / f"{row.participant_id}_T1w.nii.gz"
        save_scan(scan, field, path, "LAS")


def _participants(subjects, seed):
    rng = derive_rng("Pixar", seed)
    children = round(CHILDREN * subjects)
    adults = subjects - children
    numbers = [*range(1, children + 1), *range(FIRST_ADULT, FIRST_ADULT + adults)]
    ages = np.concatenate([spread(rng, 3.5, 12.5, children), spread(rng, 18, 39, adults)])
    return pd.DataFrame(
        {
            "participant_id": [f"sub-pixar{number:03d}" for number in numbers],
            "Age": ages.round(2),
            "AgeGroup": [_age_group(age) for age in ages],
            "Child_Adult": ["child"] * children + ["adult"] * adults,
            "Gender": rng.choice(["M", "F"], subjects),
            "Handedness": rng.choice(["R", "L"], subjects, p=[0.9, 0.1]),
        }
    )


def _age_group(age):
    if age >= 18:
        return "Adult"
    return "8-12yo" if age >= 8 else f"{int(min(age, 7))}yo"
