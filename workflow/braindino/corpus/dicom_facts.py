"""What a DICOM header says of person and scanner, in the manifest's terms."""

from braindino.corpus.dicom_files import number, text
from braindino.corpus.values import age_in_years
from braindino.corpus.vendors import vendor_name

FACTS = ["vendor", "field_strength", "slice_thickness", "age", "sex", "description"]


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
        "vendor": vendor_name(text(header, "Manufacturer")),
        "field_strength": tesla / 1e4 if tesla > 100 else tesla,  # some scanners state gauss
        "slice_thickness": stack.thickness,
        "age": age_in_years(text(header, "PatientAge")),
        "sex": {"M": "M", "F": "F"}.get(text(header, "PatientSex").upper()),
        "description": stack.header.description,
    }
