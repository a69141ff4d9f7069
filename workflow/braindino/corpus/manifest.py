"""The manifest: one row a scan, with what its header, sidecar and label table say."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bids2table
import nibabel as nib
import numpy as np
import pandas as pd
from tqdm import tqdm

from braindino.corpus.columns import MANIFEST, NOTES, REJECTS
from braindino.corpus.labels import join_labels
from braindino.corpus.scans import complete, find_scans
from braindino.corpus.stripped import is_stripped
from braindino.corpus.values import read_numbers

log = logging.getLogger(__name__)

NUMBERS = ["age", "field_strength", "slice_thickness"]
SIDECAR = {
    "Manufacturer": "vendor",
    "MagneticFieldStrength": "field_strength",
    "SliceThickness": "slice_thickness",
}
# Makers' names as headers spell them, by their beginning in small letters.
VENDORS = {"siemens": "Siemens", "ge ": "GE", "philips": "Philips", "toshiba": "Toshiba"}
VENDORS |= {"hitachi": "Hitachi", "canon": "Canon", "marconi": "Marconi", "picker": "Picker"}
READERS = 8  # threads; assumed: headers wait for the disk, not for the processor


def build_manifest(card, folder, protocol, converted=None):
    """Describe a cohort's readable scans, and list the rest with the reason.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.
    protocol : braindino.settings.imaging.SkullStrip
        Decides `skull_stripped` where the card says auto.
    converted : (DataFrame, DataFrame), optional
        Scans and rejects of the conversion, for a cohort that ships DICOM.

    Returns
    -------
    manifest : DataFrame
        DESIGN's columns, then the card's other labels, sorted by volume_id.
    rejects : DataFrame
        Columns volume_id, stage, reason.
    notes : DataFrame
        What the folder and its tables hold that is not used: dataset, issue, count, example.

    Raises
    ------
    BadInput
        When nothing matches the card, or a label table or column is missing.
    """
    if converted:
        scans, rejects, notes = complete(converted[0]), converted[1].to_numpy().tolist(), []
    else:
        (scans, notes), rejects = find_scans(card, folder), []
    scans = scans.assign(dataset=card.name)
    keys = ["dataset", "subject", "session", "modality"]
    scans["volume_id"] = ["/".join(map(str, row)) for row in scans[keys].itertuples(index=False)]
    scans, repeats = _without_repeats(scans)
    scans, issues = join_labels(scans, card, folder)
    rejects, notes = rejects + repeats, notes + issues
    headers = _headers(scans, card, protocol)
    unreadable = np.array([isinstance(header, str) for header in headers], bool)
    rejects += [
        (volume_id, "manifest", header)
        for volume_id, header in zip(scans["volume_id"], headers, strict=True)
        if isinstance(header, str)
    ]
    headers = pd.DataFrame([h for h in headers if not isinstance(h, str)])
    scans = scans[~unreadable].reset_index(drop=True)
    for column in headers:
        known = headers[column]
        scans[column] = known.where(known.notna(), scans.get(column))
    for _, _, reason in rejects[:20]:
        log.warning("rejected: %s", reason)
    log.info("%s: %d scans, %d rejected", card.name, len(scans), len(rejects))
    return (
        _tidy(scans),
        pd.DataFrame(rejects, columns=REJECTS),
        pd.DataFrame([(card.name, *note) for note in notes], columns=NOTES),
    )


def vendor_name(text):
    """Return a maker's common name: 'SIEMENS HEALTHINEERS' is Siemens, 'GE MEDICAL SYSTEMS' GE."""
    if pd.isna(text):
        return None
    lower = f"{str(text).strip().lower()} "
    return next((name for start, name in VENDORS.items() if lower.startswith(start)), str(text))


def _without_repeats(scans):
    """Keep the first file of each volume_id; archives repeat a scan as further runs."""
    again = scans.duplicated("volume_id")
    rejects = [
        (row.volume_id, "manifest", f"{row.path}: another file of the same scan is used")
        for row in scans[again].itertuples()
    ]
    return scans[~again].reset_index(drop=True), rejects


def _headers(scans, card, protocol):
    """Read every scan's geometry and sidecar, or why it cannot be used, in the scans' order."""
    with ThreadPoolExecutor(READERS) as pool:
        read = pool.map(lambda path: _header(path, card, protocol), scans["path"])
        return list(tqdm(read, total=len(scans), disable=None, unit="scan"))


def _header(path, card, protocol):
    try:
        image = nib.load(path)
        stripped = card.skull_stripped
        if stripped == "auto":
            stripped = is_stripped(np.squeeze(np.asanyarray(image.dataobj)), protocol)
    except Exception as error:
        return f"{path}: cannot be read ({_one_line(error)}); replace the file"
    zooms = [float(zoom) for zoom in image.header.get_zooms()[:3]]
    header = {
        "skull_stripped": bool(stripped),
        "orientation": "".join(axis or "?" for axis in nib.aff2axcodes(image.affine)),
        "shape": "x".join(map(str, image.shape)),
        "spacing": "x".join(f"{zoom:.3g}" for zoom in zooms),
        "slice_thickness": _thickness(image.header, zooms),
    }
    return header | _sidecar(path, card)


def _thickness(header, zooms):
    """Return the voxel size across the slices, where a NIfTI header says which axis that is."""
    axis = header.get_dim_info()[2] if isinstance(header, nib.Nifti1Header) else None
    return None if axis is None else zooms[axis]


def _sidecar(path, card):
    """Read the acquisition from the JSON beside a scan; a missing or broken one says nothing."""
    try:
        if card.reader == "bids":
            fields = bids2table.load_bids_metadata(path)
        else:
            fields = json.loads(Path(path.split(".nii")[0] + ".json").read_text())
    except (OSError, ValueError, StopIteration):
        return {}
    return {ours: fields[theirs] for theirs, ours in SIDECAR.items() if theirs in fields}


def _tidy(manifest):
    for column in MANIFEST:
        if column not in manifest:
            manifest[column] = None
    for column in NUMBERS:
        manifest[column] = read_numbers(manifest[column])[0]
    manifest["vendor"] = manifest["vendor"].map(vendor_name)
    others = sorted(set(manifest) - set(MANIFEST))
    return manifest[MANIFEST + others].sort_values("volume_id", ignore_index=True)


def _one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__
