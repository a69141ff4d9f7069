"""What a DICOM header says of person and scanner, in the manifest's terms."""

import re
from math import nan

from braindino.corpus.dicom_files import number, text

FACTS = ["vendor", "field_strength", "slice_thickness", "age", "sex", "description"]
PER_YEAR = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}
# First words of Manufacturer, and the names that dcm2niix writes into its sidecars.
VENDORS = {
    **{"SIEMENS": "Siemens", "GE": "GE", "GENERAL": "GE", "PHILIPS": "Philips"},
    **{"TOSHIBA": "Toshiba", "CANON": "Canon", "HITACHI": "Hitachi"},
}


def facts(stack):
    """Describe a stack's scanner and person.

    Parameters
    ----------
    stack : braindino.corpus.series.Stack

    Returns
    -------
    dict
        vendor, field_strength (T), slice_thickness (mm), age (years), sex (M, F), description;
        nan or None where the header is silent.
    """
    header = stack.dataset
    tesla = number(header, "MagneticFieldStrength")
    return {
        "vendor": _vendor(text(header, "Manufacturer")),
        "field_strength": tesla / 1e4 if tesla > 100 else tesla,  # some scanners state gauss
        "slice_thickness": stack.thickness,
        "age": _years(text(header, "PatientAge")),
        "sex": {"M": "M", "F": "F"}.get(text(header, "PatientSex").upper()),
        "description": stack.header.description,
    }


def _vendor(name):
    first = re.match(r"[A-Z]*", name.upper()).group()
    return VENDORS.get(first, name or None)


def _years(age):
    match = re.fullmatch(r"(\d{1,3})([YMWD])", age.upper())
    return int(match[1]) / PER_YEAR[match[2]] if match else nan
