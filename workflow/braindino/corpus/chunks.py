"""Chunks: the units of imaging and conversion, known before any scan is read."""

import hashlib
import math

from braindino.corpus.subjects import count_subjects

# Assumed, to divide the work of a cohort of unknown size: an empty chunk costs but seconds.
CONTRASTS, SUBJECTS = 4, 500


def count_chunks(card, config, folder):
    """Return the number of imaging jobs of a cohort, known before any scan is read.

    It follows from the phantoms asked for, else from what the card expects, else from the
    subjects' folders. Give `expected` in a card whose cohort grows: another number of chunks makes
    all of them anew.
    """
    volumes = card.expected.volumes or CONTRASTS * _subjects(card, config, folder)
    if card.name in config.phantoms:
        volumes = config.phantoms[card.name] * max(len(card.scans), 1)
    return math.ceil(volumes / config.imaging.volumes_per_chunk)


def count_conversions(card, config, folder):
    """Return the number of DICOM conversion jobs of a cohort; none where it ships NIfTI."""
    if card.reader != "dicom":
        return 0
    return math.ceil(_subjects(card, config, folder) / config.patients_per_chunk)


def _subjects(card, config, folder):
    known = config.phantoms.get(card.name) or card.expected.subjects
    return known or count_subjects(card, folder) or SUBJECTS


def chunk_of(volume_id, chunks):
    """Assign a volume to a chunk by a hash of its id, stable as the cohort grows."""
    digest = hashlib.sha256(volume_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % chunks
