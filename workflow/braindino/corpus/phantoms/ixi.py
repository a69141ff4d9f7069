"""IXI: three London hospitals, whole heads, ages 20 to 86, an Excel table."""

import datetime

import numpy as np
import pandas as pd
import xlwt

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.scanner import Scanner, scan_head
from braindino.files import written_whole
from braindino.seeds import derive_rng

# Hammersmith runs 3 T, Guy's and the Institute of Psychiatry 1.5 T; shares as in the archive.
SITES = {
    "Guys": (0.55, Scanner(gain=520, noise=0.035, bias=0.08)),
    "HH": (0.32, Scanner(gain=900, noise=0.02, bias=0.16, contrast=0.95)),
    "IOP": (0.13, Scanner(gain=300, noise=0.03, bias=0.1, contrast=1.1)),
}
FIELD_OF_VIEW = (180.0, 240.0, 240.0)  # mm, RAS; the archive's 150 x 256 x 256 voxels
THICKNESS = 1.28  # voxel across the slices over voxel within: 1.2 mm over 0.9375 mm
FIRST_BIRTH, FIRST_SCAN = datetime.date(1920, 1, 1), datetime.date(2005, 9, 1)
CODES = {"ETHNIC_ID": 5, "MARITAL_ID": 5, "OCCUPATION_ID": 8, "QUALIFICATION_ID": 5}


def write_ixi(folder, subjects, spacing, seed):
    """Write IXI: T1w stored sagittally, T2w axially, and `IXI.xls`.

    As in the archive, one subject's age is missing and one row has no scan.
    """
    table = _subjects(subjects + 1, seed)
    for row in table.iloc[:-1].to_dict("records"):
        _write_subject(folder, row, spacing, seed)
    table.loc[subjects // 2, "AGE"] = np.nan
    _write_xls(table.drop(columns=["site", "scan"]).sort_values("IXI_ID"), folder / "IXI.xls")


def _subjects(count, seed):
    rng = derive_rng("IXI", seed)
    names, shares = list(SITES), [share for share, _ in SITES.values()]
    sites = [*names, *rng.choice(names, max(count - len(names), 0), p=shares)][:count]
    born = [_after(FIRST_BIRTH, days) for days in _birthdays(rng, count)]
    scanned = [
        datetime.date(2005, 9, 1) + datetime.timedelta(int(d)) for d in rng.integers(0, 400, count)
    ]
    return pd.DataFrame(
        {
            "IXI_ID": np.sort(rng.choice(np.arange(2, 663), count, replace=False)),
            "SEX_ID (1=m, 2=f)": rng.permutation(np.arange(count) % 2 + 1),
            "HEIGHT": rng.normal(170, 9, count).round().astype(int),
            "WEIGHT": rng.normal(72, 12, count).round().astype(int),
            **{name: rng.integers(1, top + 1, count) for name, top in CODES.items()},
            "DOB": born,
            "DATE_AVAILABLE": 1,
            "STUDY_DATE": scanned,
            "AGE": [round((b - a).days / 365.25, 2) for a, b in zip(born, scanned, strict=True)],
            "site": sites,
            "scan": rng.permutation(np.arange(700, 700 + count)),
        }
    )


def _birthdays(rng, count):
    """Days that spread the ages evenly, so that small cohorts span adulthood too."""
    span = 365.25 * 65
    return rng.permutation((np.arange(count) + rng.random(count)) * span / count)


def _after(day, days):
    return day + datetime.timedelta(int(days))


def _write_subject(folder, row, spacing, seed):
    stem = f"IXI{row['IXI_ID']:03d}-{row['site']}-{row['scan']:04d}"
    sex = {1: "M", 2: "F"}[row["SEX_ID (1=m, 2=f)"]]
    person = Person(stem, row["AGE"], sex, seed)
    across = THICKNESS * spacing
    for contrast, name, voxel, orientation in (
        ("T1w", "T1", (across, spacing, spacing), "PSR"),
        ("T2w", "T2", (spacing, spacing, across), "LAS"),
    ):
        field = Grid.covering(FIELD_OF_VIEW, voxel)
        anatomy = build_anatomy(person, voxel, whole_head=True)
        rng = derive_rng("IXI", seed, stem, contrast)
        scan = scan_head(anatomy, contrast, SITES[row["site"]][1], field, rng)
        save_scan(scan, field, folder / f"IXI-{name}" / f"{stem}-{name}.nii.gz", orientation)


def _write_xls(table, path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for column, name in enumerate(table):
        sheet.write(0, column, name)
        for row, value in enumerate(table[name].tolist(), start=1):
            if isinstance(value, datetime.date):
                sheet.write(row, column, value, day)
            elif not pd.isna(value):
                sheet.write(row, column, value)
    with written_whole(path) as part:
        book.save(str(part))
