"""Collections of The Cancer Imaging Archive: brain tumours, as its data retriever lays them out."""

import datetime
from functools import lru_cache
from typing import NamedTuple

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.dicom import series_uid, study_uid
from braindino.corpus.phantoms.machines import MACHINES
from braindino.corpus.phantoms.people import draw_adults
from braindino.corpus.phantoms.sequences import scan_series
from braindino.corpus.phantoms.tumour import grow_tumour
from braindino.seeds import derive_rng

DEFAULT = ("localizer", "T1w", "T2w", "FLAIR", "ADC", "T1c")
VOLUMETRIC = ("localizer", "T1w 3-D", "T2w", "FLAIR", "short", "T1c 3-D")
FIRST_DAY = datetime.date(1996, 3, 4)  # the archive shifts each patient's dates


class Study(NamedTuple):
    """A visit: what it is called, what is scanned, the tumour then, and days since the first."""

    description: str
    series: tuple = DEFAULT
    tumour: str = "GBM"
    day: int = 0


class Collection(NamedTuple):
    """How a collection writes its patients' ids, their highest number, and their studies."""

    patient: str
    highest: int
    studies: tuple


COLLECTIONS = {
    "TCGA-GBM": Collection("TCGA-02-{:04d}", 120, (Study("MR BRAIN WO AND W CONTRAST"),)),
    "CPTAC-GBM": Collection("C3L-{:05d}", 4000, (Study("MR HEAD W-WO CM", VOLUMETRIC),)),
    # Radiotherapy: what the planning used.
    "GLIS-RT": Collection("GLI_{:03d}_GBM", 230, (Study("RT PLANNING", ("T1c", "FLAIR", "CT")),)),
    "REMBRANDT": Collection("HF{:04d}", 1800, (Study("BRAIN"),)),
    "IvyGAP": Collection(
        *("W{}", 55),
        (
            Study("MR BRAIN WITHOUT AND WITH CONTRAST"),
            Study("MR BRAIN FU", DEFAULT, "recurrence", 90),
        ),
    ),
    "MEN-SEG-CLASS": Collection(
        *("Meningioma-SEG-CLASS-{:03d}", 96),
        (Study("MR BRAIN", ("localizer", "T1w", "T1c", "FLAIR"), "MEN"),),
    ),
    # The archive gives the scan during the operation the day of the one before it.
    "ReMIND": Collection(
        *("ReMIND-{:03d}", 114),
        (
            Study("Preop", ("T1c 3-D", "T2w 3-D", "FLAIR")),
            Study("Intraop", ("T2w 3-D",), "recurrence"),
        ),
    ),
    "ACRIN-DSC-MR-Brain": Collection(
        *("ACRIN-DSC-MR-Brain-{:03d}", 123),
        (
            Study("MR BRAIN BASELINE", ("T1w", "FLAIR", "perfusion", "T1c"), "recurrence"),
            Study("MR BRAIN WEEK 8", ("T1w", "FLAIR", "perfusion", "T1c"), "recurrence", 56),
        ),
    ),
    "ACRIN-FMISO-Brain": Collection(
        *("ACRIN-FMISO-Brain-{:03d}", 50),
        (
            Study("MRI Brain wwo Contrast", ("T1w", "T2w", "FLAIR", "T1c")),
            Study("PET BRAIN", ("PT",), day=3),
        ),
    ),
}


def write_tcia(name, folder, subjects, spacing, seed):
    """Write a collection, skull-stripped: one or two studies a patient, no label table.

    In REMBRANDT the files of the first patient lack their suffix, as in downloads from older
    servers of the archive.
    """
    collection = COLLECTIONS[name]
    rng = derive_rng("TCIA", name, seed)
    highest = max(collection.highest, 2 * subjects)
    numbers = sorted(int(n) + 1 for n in rng.choice(highest, subjects, replace=False))
    people = draw_adults(rng, 24, 82, subjects)
    for index, (number, row) in enumerate(zip(numbers, people.itertuples(), strict=True)):
        person = Person(collection.patient.format(number), row.age, row.sex, seed)
        files = "1-{:02d}" if (name, index) == ("REMBRANDT", 0) else "1-{:02d}.dcm"
        machine = MACHINES[index % len(MACHINES)]
        for study in collection.studies:
            date = FIRST_DAY + datetime.timedelta(97 * index + study.day)
            _write_study(folder, person, study, date, machine, spacing, files)


def _write_study(folder, person, study, date, machine, spacing, files):
    header = {
        "PatientID": person.subject,
        "PatientSex": person.sex,
        "PatientAge": f"{int(person.age):03d}Y",
        "StudyDate": date.strftime("%Y%m%d"),
        "StudyDescription": study.description,
    }
    anatomy_at = _patient(person, study.tumour)
    for number, name in enumerate(study.series, start=1):
        scan_series(
            *(anatomy_at, name, machine, header | {"SeriesNumber": number}, spacing, person.seed),
            lambda full: (folder / _series_folder(full), files),
        )


def _patient(person, tumour):
    """Return the function of a voxel size that builds a patient's anatomy, once a size."""

    @lru_cache(maxsize=2)
    def build(voxel):
        anatomy = build_anatomy(person, voxel)
        grow_tumour(anatomy, tumour)
        return anatomy

    return build


def _series_folder(header):
    """Name the folder: patient, study and series, each with the end of its UID."""
    date = datetime.datetime.strptime(header["StudyDate"], "%Y%m%d").strftime("%m-%d-%Y")
    study = f"{date}-NA-{header['StudyDescription']}-{study_uid(header)[-5:]}"
    description = header.get("SeriesDescription", "NA").replace("/", "")
    series = f"{header['SeriesNumber']}.000000-{description}-{series_uid(header)[-5:]}"
    return f"{header['PatientID']}/{study}/{series}"
