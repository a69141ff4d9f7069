"""Find DICOM files and read their headers, whatever their names and however damaged."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag

THREADS = 8  # headers lie on network disks: waiting takes the time, not computing
OTHER_SUFFIXES = {
    *(".bval", ".bvec", ".csv", ".gz", ".html", ".jpg", ".json", ".md", ".nii", ".pdf", ".png"),
    *(".tsv", ".txt", ".xls", ".xlsx", ".xml", ".zip"),
}
OTHER_NAMES = {"DICOMDIR", "LICENSE", "README", "VERSION"}
TAGS = [
    Tag(keyword)
    for keyword in (
        *("SOPInstanceUID", "SeriesInstanceUID", "Modality", "ImageType", "PatientID", "StudyDate"),
        *("SeriesNumber", "SeriesDescription", "ProtocolName", "SequenceName", "InstanceNumber"),
        *("PatientAge", "PatientSex", "Manufacturer", "MagneticFieldStrength", "SliceThickness"),
        *("ScanningSequence", "SequenceVariant", "RepetitionTime", "EchoTime", "InversionTime"),
        *("FlipAngle", "DiffusionBValue", "ContrastBolusAgent"),
        *("ImagePositionPatient", "ImageOrientationPatient"),
        *("NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    )
]
# What enhanced (multi-frame) MR calls otherwise.
ENHANCED = {"EchoTime": "EffectiveEchoTime", "InversionTime": "InversionTimes"}


@dataclass(frozen=True)
class File:
    """A DICOM file and its header, without pixels."""

    path: Path
    dataset: Dataset


def read_files(folder):
    """Read the headers of all DICOM files below a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    files : list of File
        Sorted by path.
    strangers : list of Path
        Files that are neither DICOM nor of a kind that archives add (csv, json, ...).
    """
    paths = sorted(path for path in folder.rglob("*") if _may_be_dicom(path))
    with ThreadPoolExecutor(THREADS) as pool:
        files = list(pool.map(_read, paths))
    strangers = [path for path, file in zip(paths, files, strict=True) if file is None]
    return [file for file in files if file], strangers


def values(dataset, keyword):
    """Return a header element's values as text, [] where it is absent or unreadable."""
    try:
        value = _look_up(dataset, keyword)
    except Exception:  # pydicom raises many kinds on a malformed value
        return []
    several = value if isinstance(value, MultiValue | list) else [value]
    return [str(one).strip() for one in several if one is not None]


def text(dataset, keyword):
    """Return a header element as one text, empty where it is absent."""
    return " ".join(values(dataset, keyword))


def number(dataset, keyword):
    """Return a header element's first number, nan where there is none."""
    return vector(dataset, keyword, 1)[0]


def vector(dataset, keyword, length):
    """Return a header element's first numbers, all nan where there are fewer."""
    try:
        found = [float(value) for value in values(dataset, keyword)[:length]]
    except ValueError:
        found = []
    return np.array(found) if len(found) == length else np.full(length, nan)


def _look_up(dataset, keyword):
    if keyword in dataset:
        return dataset[keyword].value
    names = keyword, ENHANCED.get(keyword)
    groups = [
        *(dataset.get("SharedFunctionalGroupsSequence") or [])[:1],
        *(dataset.get("PerFrameFunctionalGroupsSequence") or [])[:1],
    ]
    found = (element for group in groups for element in group.iterall())
    return next((element.value for element in found if element.keyword in names), None)


def _may_be_dicom(path):
    named = path.suffix.lower() in OTHER_SUFFIXES or path.name.upper() in OTHER_NAMES
    return not named and not path.name.startswith(".") and path.is_file()


def _read(path):
    """Read a header; None where there is none, or it does not name its series."""
    try:
        dataset = dcmread(path, stop_before_pixels=True, specific_tags=TAGS)
        return File(path, dataset) if "SeriesInstanceUID" in dataset else None
    except Exception:  # a file cut within its header fails in as many ways as there are elements
        return None
