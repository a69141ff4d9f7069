"""The manifest: one row a scan, with what its header, sidecar and label table say."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pandas as pd
from tqdm import tqdm

from braindino.corpus.columns import MANIFEST, NOTES, REJECTS
from braindino.corpus.headers import describe_scan
from braindino.corpus.labels import join_labels
from braindino.corpus.scans import check_release, complete, find_scans, list_files
from braindino.corpus.values import read_numbers
from braindino.corpus.vendors import vendor_name

log = logging.getLogger(__name__)

NUMBERS = ["age", "field_strength", "slice_thickness"]
THREADS = 4  # assumed: reading waits for the disk, unpacking leaves the interpreter free
SHOWN = 20  # rejects in the log; all are in the table


class Manifest(NamedTuple):
    """A cohort's scans and what is wrong with the rest.

    Attributes
    ----------
    scans : DataFrame
        DESIGN's columns, then the card's other labels, sorted by volume_id.
    rejects : DataFrame
        volume_id, stage, reason.
    fingerprints : DataFrame
        volume_id and fingerprint, of the volumes that have one.
    notes : DataFrame
        What the folder and its tables hold that is not used: dataset, issue, count, example.
    """

    scans: pd.DataFrame
    rejects: pd.DataFrame
    fingerprints: pd.DataFrame
    notes: pd.DataFrame


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
    Manifest

    Raises
    ------
    BadInput
        When nothing matches the card, or a label table or column is missing.
    """
    if converted:
        scans, rejects = complete(converted[0]), [converted[1]]
        notes = check_release(card, folder, list_files(folder), found=len(scans) > 0)
    else:
        (scans, notes), rejects = find_scans(card, folder), []
    scans, repeats = _without_repeats(_with_ids(scans, card))
    scans, issues = join_labels(scans, card, folder)
    scans, unreadable = _described(scans, card, protocol)
    rejects = pd.concat([*rejects, repeats, unreadable], ignore_index=True)[REJECTS]
    for reason in rejects["reason"].head(SHOWN):
        log.warning("rejected: %s", reason)
    log.info("%s: %d scans, %d rejected", card.name, len(scans), len(rejects))
    prints = scans[["volume_id", "fingerprint"]].dropna(ignore_index=True)
    notes = pd.DataFrame([(card.name, *note) for note in notes + issues], columns=NOTES)
    return Manifest(_tidy(scans.drop(columns="fingerprint")), rejects, prints, notes)


def _with_ids(scans, card):
    scans = scans.assign(dataset=card.name)
    keys = ["dataset", "subject", "session", "modality"]
    ids = ["/".join(map(str, row)) for row in scans[keys].itertuples(index=False)]
    return scans.assign(volume_id=ids)


def _without_repeats(scans):
    """Keep the first file of each volume_id; archives repeat a scan as further runs."""
    again = scans.duplicated("volume_id")
    reasons = [f"{path}: another file of the same scan is used" for path in scans[again]["path"]]
    return scans[~again].reset_index(drop=True), _rejected(scans[again], reasons)


def _described(scans, card, protocol):
    """Add what every scan says of itself; part with those that cannot be read."""
    with ThreadPoolExecutor(THREADS) as pool:
        read = pool.map(lambda path: describe_scan(path, card, protocol), scans["path"])
        headers = list(tqdm(read, total=len(scans), disable=None, unit="scan"))
    readable = [isinstance(header, dict) for header in headers]
    unreadable = _rejected(
        scans[[not ok for ok in readable]], [h for h in headers if isinstance(h, str)]
    )
    found = pd.DataFrame([h for h in headers if isinstance(h, dict)])
    found = found if len(found) else pd.DataFrame(columns=["fingerprint"])
    scans = scans[readable].reset_index(drop=True)
    for column in found:
        scans[column] = found[column].where(found[column].notna(), scans.get(column))
    return scans, unreadable


def _rejected(scans, reasons):
    return scans[["volume_id"]].assign(stage="manifest", reason=reasons)


def _tidy(scans):
    for column in MANIFEST:
        if column not in scans:
            scans[column] = None
    for column in NUMBERS:
        scans[column] = read_numbers(scans[column])[0]
    scans["vendor"] = scans["vendor"].map(vendor_name)
    others = sorted(set(scans) - set(MANIFEST))
    return scans[MANIFEST + others].sort_values("volume_id", ignore_index=True)
