"""ATLAS R2.0: T1w after a stroke on the MNI grid, a lesion mask each, days in a csv."""

import numpy as np
import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.people import spread
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.corpus.phantoms.stroke import add_stroke
from braindino.files import write_table
from braindino.seeds import derive_rng

EXTENT = (197.0, 233.0, 189.0)  # mm; the grid of MNI152NLin2009aSym
ORIGIN = (-98.0, -134.0, -72.0)
SPACE = "space-MNI152NLin2009aSym"
SCANNER = Scanner(gain=60, noise=0.03, bias=0.04)  # intensities are scaled to about 0 to 100
SITES = ("R001", "R009", "R027")
DAYS = (3, 400)  # assumed: log-uniform, most of the paper's errors being below 100 days (§2.3)
TABLE = "20220425_ATLAS_2.0_MetaData.csv"


def write_atlas(folder, subjects, spacing, seed):
    """Write ATLAS' training part, skull-stripped: T1w, lesion mask and the csv of metadata.

    One subject's days are missing.
    """
    rng = derive_rng("ATLAS", seed)
    sites = np.sort(np.resize(SITES, subjects))
    numbers = pd.Series(sites).groupby(sites).cumcount() + 1
    days = np.exp(spread(rng, *np.log(DAYS), subjects)).round()
    names = [f"sub-{s.lower()}s{n:03d}" for s, n in zip(sites, numbers, strict=True)]
    table = pd.DataFrame({"Subject ID": names, "Session ID": "ses-1", "Days Post Stroke": days})
    field = Grid.covering(EXTENT, (spacing,) * 3)
    for name, site, elapsed in zip(names, sites, days, strict=True):
        _write_subject(folder / "Training" / site, name, elapsed, field, seed)
    table.loc[subjects // 2, "Days Post Stroke"] = np.nan
    write_table(table.assign(Site=sites), folder / TABLE)


def _write_subject(folder, name, days, field, seed):
    rng = derive_rng("ATLAS", seed, name)
    person = Person(f"ATLAS {name}", rng.uniform(35, 85), str(rng.choice(["F", "M"])), seed)
    anatomy = build_anatomy(person, field.spacing, registered=True)
    lesion = add_stroke(anatomy, days, rng)
    scan = scan_brain(anatomy, "T1w", SCANNER, field, rng)
    stem = folder / name / "ses-1" / "anat" / f"{name}_ses-1_{SPACE}"
    save_scan(scan, field, stem.with_name(f"{stem.name}_T1w.nii.gz"), origin=ORIGIN)
    mask = stem.with_name(f"{stem.name}_label-L_desc-T1lesion_mask.nii.gz")
    save_scan(field.fit(lesion), field, mask, origin=ORIGIN)
