"""Makers of scanners, by one name each."""

import re

import pandas as pd

# By the first word of what headers and sidecars write.
VENDORS = {
    **{"SIEMENS": "Siemens", "GE": "GE", "GENERAL": "GE", "PHILIPS": "Philips"},
    **{"TOSHIBA": "Toshiba", "CANON": "Canon", "HITACHI": "Hitachi"},
}


def vendor_name(text):
    """Return a maker's common name: 'SIEMENS HEALTHINEERS' is Siemens, 'GE MEDICAL SYSTEMS' GE."""
    if pd.isna(text) or not str(text).strip():
        return None
    first = re.match(r"[A-Z]*", str(text).strip().upper()).group()
    return VENDORS.get(first, str(text).strip())
