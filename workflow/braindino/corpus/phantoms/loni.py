"""ADNI and PPMI as LONI's archive ships them: a folder an image, and the table of the search."""

import datetime
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.atrophy import lose_hippocampus
from braindino.corpus.phantoms.loni_projects import PROJECTS
from braindino.corpus.phantoms.machines import MACHINES
from braindino.corpus.phantoms.people import spread
from braindino.corpus.phantoms.sequences import scan_series
from braindino.files import write_table
from braindino.seeds import derive_rng

FIRST_DAY = datetime.date(2006, 2, 1)
SEARCHED = "11_22_2025"  # day of the search, in the table's name
COLUMNS = [
    *("Image Data ID", "Subject", "Group", "Sex", "Age", "Visit", "Modality", "Description"),
    *("Type", "Acq Date", "Format", "Downloaded"),
]


def write_loni(name, folder, subjects, spacing, seed):
    """Write ADNI or PPMI, skull-stripped: T1w series, and the csv of the search.

    As in the archive some first visits have a second T1w (REPEAT), one has a localizer, which the
    search left out, and the table names an image that was not downloaded.
    """
    images = pd.DataFrame(
        [
            image
            for index, (group, age) in enumerate(_people(name, subjects, seed))
            for image in _images(name, index, group, age, seed)
        ]
    )
    images["Image Data ID"] = [f"I{7001 + 13 * i}" for i in range(len(images))]
    for _, visit in images.groupby(["Subject", "Visit"], sort=False):
        _write_visit(name, folder, visit, spacing, seed)
    table = images.loc[images["sequence"] != "localizer", COLUMNS]
    missing = table.iloc[[-1]].assign(**{"Image Data ID": "I999999", "Description": "REPEAT"})
    write_table(pd.concat([table, missing]), folder / f"{name}_T1w_{SEARCHED}.csv")


def _people(name, subjects, seed):
    """Draw each subject's group and age at first; ages span each group alike."""
    project = PROJECTS[name]
    groups = pd.Series(np.resize(project.order, subjects))
    ages = groups.groupby(groups).transform(
        lambda g: spread(derive_rng("LONI", name, seed, g.name), *project.ages, len(g))
    )
    return zip(groups, ages, strict=True)


def _images(name, index, group, age, seed):
    """List the images of a subject, as rows of the table and what it takes to make them."""
    project, rng = PROJECTS[name], derive_rng("LONI", name, seed, index)
    site = int(rng.integers(2, 140))
    person = {
        "Subject": project.subject.format(site=site, number=3001 + index),
        "Group": group,
        "Sex": str(rng.choice(["F", "M"])),
        "machine": site % len(MACHINES),
    }
    first = FIRST_DAY + datetime.timedelta(int(rng.integers(0, 900)))
    visits = project.attendance[index % len(project.attendance)]
    return [
        person | _visit(visit, years, age + years, first) | image
        for visit, years in visits.items()
        for image in _series(project, index, years)
    ]


def _visit(visit, years, age, first):
    date = first + datetime.timedelta(round(365.25 * years))
    return {
        "Visit": visit,
        "Age": int(age),
        "Acq Date": f"{date.month}/{date.day}/{date.year}",
        "date": date,
        "exact_age": age,
        "years": years,
    }


def _series(project, index, years):
    """List the series of a visit."""
    names = {project.description: "T1w 3-D"}
    if years == 0 and index % 3 == 0:
        names[f"{project.description} REPEAT"] = "T1w 3-D"
    if years == 0 and index == 0:
        names["LOCALIZER"] = "localizer"
    shared = {"Modality": "MRI", "Type": "Original", "Format": "DCM", "Downloaded": ""}
    return [
        shared | {"Description": description, "sequence": sequence, "number": number}
        for number, (description, sequence) in enumerate(names.items(), start=2)
    ]


def _write_visit(name, folder, images, spacing, seed):
    anatomy_at = lru_cache(maxsize=1)(partial(_anatomy, name, images.iloc[0], seed))
    for image in images.to_dict("records"):
        machine = MACHINES[image["machine"]]
        header = {
            "PatientID": image["Subject"],
            "StudyDate": image["date"].strftime("%Y%m%d"),
            "StudyDescription": name,
            "SeriesNumber": image["number"],
        }
        scan_series(
            *(anatomy_at, image["sequence"]),
            *(machine._replace(names={"T1w 3-D": image["Description"]}), header, spacing, seed),
            lambda _, image=image: _place(name, folder, image),
        )


def _anatomy(name, image, seed, voxel):
    group = PROJECTS[name].groups[image["Group"]]
    age = image["exact_age"] + group.older
    anatomy = build_anatomy(Person(image["Subject"], age, image["Sex"], seed), voxel)
    lose_hippocampus(anatomy, min(group.loss + group.yearly * image["years"], 1.0))
    return anatomy


def _place(name, folder, image):
    """Name the folder of an image and its files."""
    description = image["Description"].replace(" ", "_")
    day, number = image["date"], image["Image Data ID"]
    moment = f"{day:%Y-%m-%d}_10_{10 + image['number']}_00.0"
    stem = f"{name}_{image['Subject']}_MR_{description}__br_raw_{day:%Y%m%d}101500000"
    place = folder / image["Subject"] / description / moment / number
    return place, stem + f"_{{:d}}_S{image['number']}{number[1:]}_{number}.dcm"
