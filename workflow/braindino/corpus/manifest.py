"""The manifest: one row a scan, with what its header, sidecar and label table say."""

import logging

import bids2table
import nibabel as nib
import numpy as np
import pandas as pd

from braindino.corpus.labels import join_labels
from braindino.corpus.scans import find_scans
from braindino.corpus.stripped import is_stripped
from braindino.errors import BadInput

log = logging.getLogger(__name__)

COLUMNS = [
    *("volume_id", "dataset", "subject", "session", "modality", "path", "skull_stripped"),
    *("segmentation", "age", "sex", "site", "vendor", "field_strength", "slice_thickness"),
    *("orientation", "shape", "spacing"),
]
REJECT_COLUMNS = ["volume_id", "stage", "reason"]
SIDECAR = {
    "Manufacturer": "vendor",
    "MagneticFieldStrength": "field_strength",
    "SliceThickness": "slice_thickness",
}


def build_manifest(card, folder, protocol):
    """List a cohort's readable scans, and the rest with the reason.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.
    protocol : braindino.settings.imaging.SkullStrip
        Decides `skull_stripped` where the card says auto.

    Returns
    -------
    manifest : DataFrame
        DESIGN's columns, then the card's other labels, sorted by volume_id.
    rejects : DataFrame
        Columns volume_id, stage, reason.

    Raises
    ------
    BadInput
        When no scan matches the card, or a label table or column is missing.
    """
    scans = find_scans(card, folder)
    if scans.empty:
        wanted = "BIDS anat scans" if card.reader == "bids" else ", ".join(card.scans.values())
        raise BadInput(
            f"config/datasets/{card.name}.yaml: nothing below {folder} matches 'scans' ({wanted}); "
            f"check the folder against the card's layout."
        )
    scans["dataset"] = card.name
    keys = ["dataset", "subject", "session", "modality"]
    scans["volume_id"] = scans[keys].agg("/".join, axis=1)
    scans, rejects = _without_duplicates(scans)
    scans = join_labels(scans, card, folder)
    headers = [_header(row, card, protocol) for row in scans.itertuples()]
    unreadable = pd.Series([isinstance(header, str) for header in headers], index=scans.index)
    rejects += [
        (volume_id, "manifest", reason)
        for volume_id, reason in zip(scans["volume_id"], headers, strict=True)
        if isinstance(reason, str)
    ]
    headers = pd.DataFrame([h for h in headers if not isinstance(h, str)])
    scans = scans[~unreadable].reset_index(drop=True)
    known = headers.columns if len(headers) else []
    manifest = pd.concat([scans.drop(columns=[c for c in known if c in scans]), headers], axis=1)
    for _, _, reason in rejects:
        log.warning("rejected: %s", reason)
    return _tidy(manifest), pd.DataFrame(rejects, columns=REJECT_COLUMNS)


def _without_duplicates(scans):
    """Keep the first file of each volume_id; archives repeat a scan as further runs."""
    again = scans.duplicated("volume_id")
    rejects = [
        (
            row.volume_id,
            "manifest",
            f"{row.path}: another file of the same scan is used",
        )
        for row in scans[again].itertuples()
    ]
    return scans[~again].reset_index(drop=True), rejects


def _header(row, card, protocol):
    """Read a scan's geometry, or say in one sentence why it cannot be used."""
    try:
        image = nib.load(row.path)
        stripped = card.skull_stripped
        if stripped == "auto":
            stripped = is_stripped(np.squeeze(np.asanyarray(image.dataobj)), protocol)
    except Exception as error:
        return f"{row.path}: cannot be read ({_one_line(error)}); replace the file"
    zooms = [float(zoom) for zoom in image.header.get_zooms()[:3]]
    header = {
        "skull_stripped": bool(stripped),
        "orientation": "".join(nib.aff2axcodes(image.affine)),
        "shape": "x".join(map(str, image.shape)),
        "spacing": "x".join(f"{zoom:.3g}" for zoom in zooms),
    }
    return header | _sidecar(row.path, card)


def _sidecar(path, card):
    if card.reader != "bids":
        return {}
    fields = bids2table.load_bids_metadata(path) or {}
    return {ours: fields[theirs] for theirs, ours in SIDECAR.items() if theirs in fields}


def _tidy(manifest):
    for column in COLUMNS:
        if column not in manifest:
            manifest[column] = None
    for column in ("age", "field_strength", "slice_thickness"):
        manifest[column] = pd.to_numeric(manifest[column], errors="coerce").astype(float)
    others = sorted(set(manifest) - set(COLUMNS))
    return manifest[COLUMNS + others].sort_values("volume_id", ignore_index=True)


def _one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__
