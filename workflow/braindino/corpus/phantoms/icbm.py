"""ICBM: normal adults, exported as NIfTI from LONI's Image and Data Archive with its csv."""

import numpy as np
import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.people import draw_adults
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.files import write_table
from braindino.seeds import derive_rng

# The consortium's centres; their numbering and their scanners are assumed.
CENTRES = {
    "MNI": Scanner(gain=900, noise=0.035, bias=0.08),
    "UCLA": Scanner(gain=500, noise=0.025, bias=0.14, contrast=1.05),
    "UTHC": Scanner(gain=300, noise=0.04, bias=0.1, contrast=0.95),
}
DESCRIPTIONS = {"T1w": "MPRAGE", "T2w": "T2_TSE"}
FIELD_OF_VIEW = (192.0, 224.0, 224.0)  # mm, RAS


def write_icbm(folder, subjects, spacing, seed):
    """Write ICBM, skull-stripped: uncompressed NIfTI in a folder an image, and the search's csv.

    T1w of all, T2w of every other subject. One row has no scan, and one scan has no row.
    """
    rng = derive_rng("ICBM", seed)
    images = _images(rng, _subjects(rng, subjects + 1))
    field = Grid.covering(FIELD_OF_VIEW, (spacing,) * 3)
    for (subject, age, sex), scans in images.iloc[:-1].groupby(["Subject", "age", "Sex"]):
        anatomy = build_anatomy(Person(subject, age, sex, seed), field.spacing)
        for image in scans.to_dict("records"):
            _write_image(folder, image, anatomy, field)
    listed = images.drop(index=subjects // 2).drop(columns=["age", "contrast", "scanned"])
    write_table(listed, folder / "ICBM_1_15_2024.csv")


def _subjects(rng, count):
    people = draw_adults(rng, 20, 80, count)
    centres, numbers = np.resize(list(CENTRES), count), np.arange(count)
    people["Subject"] = [f"{c}_{7 * n + 3:04d}" for c, n in zip(centres, numbers, strict=True)]
    return people


def _images(rng, people):
    """List the images as the archive's csv does; the last subject has a T1w alone."""
    rows = []
    for index, person in enumerate(people.itertuples()):
        day = pd.Timestamp(2000, 1, 3) + pd.Timedelta(days=int(rng.integers(0, 2000)))
        twice = index % 2 == 1 and index < len(people) - 1
        for contrast in list(DESCRIPTIONS)[: 1 + twice]:
            rows.append(
                {
                    "Image Data ID": f"I{20017 + 13 * len(rows)}",
                    "Subject": person.Subject,
                    "Group": "Normal",
                    "Sex": person.sex,
                    "Age": int(person.age),
                    "Visit": 1,
                    "Modality": "MRI",
                    "Description": DESCRIPTIONS[contrast],
                    "Type": "Original",
                    "Acq Date": f"{day.month}/{day.day}/{day.year}",
                    "Format": "NiFTI",
                    "Downloaded": "1/15/2024",
                    "age": person.age,
                    "contrast": contrast,
                    "scanned": day,
                }
            )
    return pd.DataFrame(rows)


def _write_image(folder, image, anatomy, field):
    subject, description, day = image["Subject"], image["Description"], image["scanned"]
    rng = derive_rng("ICBM", anatomy.person.seed, image["Image Data ID"])
    scanner = CENTRES[subject.split("_")[0]]
    scan = scan_brain(anatomy, image["contrast"], scanner, field, rng)
    place = folder / subject / description / f"{day:%Y-%m-%d}_00_00_00.0" / image["Image Data ID"]
    name = f"ICBM_{subject}_MR_{description}__br_raw_{day:%Y%m%d}000000000_{image['Image Data ID']}"
    save_scan(scan, field, place / f"{name}.nii", "PSR")
