"""fastMRI: brains of one hospital, all series of an exam in one folder of numbered files."""

import datetime
from functools import lru_cache, partial

from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.machines import MACHINES
from braindino.corpus.phantoms.people import draw_adults
from braindino.corpus.phantoms.sequences import scan_series
from braindino.seeds import derive_rng

FIRST_DAY = datetime.date(2017, 5, 2)
NAMES = {"T1w": "AX T1", "T2w": "AX T2", "FLAIR": "AX FLAIR", "T1c": "AX T1 POST"}
SIEMENS = [machine for machine in MACHINES if machine.vendor.lower().startswith("siemens")]


def write_fastmri(folder, subjects, spacing, seed):
    """Write the DICOM part of fastMRI's brains, skull-stripped: four axial series an exam."""
    rng = derive_rng("fastMRI", seed)
    numbers = 100099070170 + rng.choice(10**9, subjects, replace=False)
    for index, row in enumerate(draw_adults(rng, 18, 88, subjects).itertuples()):
        person = Person(str(numbers[index]), row.age, row.sex, seed)
        machine = SIEMENS[index % len(SIEMENS)]._replace(names=NAMES, agents={})
        _write_exam(folder, person, machine, FIRST_DAY + datetime.timedelta(index), spacing)


def _write_exam(folder, person, machine, date, spacing):
    anatomy_at = lru_cache(maxsize=1)(partial(build_anatomy, person))
    for number, name in enumerate(["localizer", *NAMES], start=1):
        header = {
            "PatientID": person.subject,
            "PatientSex": person.sex,
            "PatientAge": f"{int(person.age):03d}Y",
            "StudyDate": date.strftime("%Y%m%d"),
            "StudyDescription": "MRI BRAIN",
            "SeriesNumber": number,
        }
        place = folder / person.subject, f"{number}{{:02d}}.dcm"
        scan_series(anatomy_at, name, machine, header, spacing, person.seed, lambda _, p=place: p)
