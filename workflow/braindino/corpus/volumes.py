"""Which volumes of a cohort this run uses, for what, and in which chunk."""

import hashlib
import math

from braindino.corpus.persons import subject_keys
from braindino.corpus.subjects import count_subjects

COLUMNS = ["volume_id", "subject", "modality", "path", "skull_stripped"]


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
    return math.ceil(_subjects(card, config, folder) / config.corpus.patients_per_chunk)


def _subjects(card, config, folder):
    known = config.phantoms.get(card.name) or card.expected.subjects
    return known or count_subjects(card, folder) or SUBJECTS


def chunk_of(volume_id, chunks):
    """Assign a volume to a chunk by a hash of its id, stable as the cohort grows."""
    digest = hashlib.sha256(volume_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % chunks


def select_volumes(card, manifest, persons, splits, probed, modalities, chunks):
    """List the volumes of a cohort that pretraining or a task needs.

    No test subject of any task enters pretraining, by any of their scans or ids (paper §4.1.1).

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    manifest : DataFrame
    persons : dict
        subject → person, of all cohorts.
    splits : DataFrame
        All tasks' splits, concatenated.
    probed : list of str
        Tasks whose features are wanted.
    modalities : list of str
        Contrasts that enter pretraining.
    chunks : int

    Returns
    -------
    DataFrame
        volume_id, subject, modality, path, skull_stripped, chunk, and the flags pretraining,
        evaluation (a task splits it) and probed (a task needs its features).
    """
    test = splits.loc[splits["split"] == "test", "subject"]
    test = {persons.get(subject, subject) for subject in test}
    person = subject_keys(manifest).map(lambda subject: persons.get(subject, subject))
    free = manifest["modality"].isin(modalities) & ~person.isin(test)
    volumes = manifest[COLUMNS].assign(
        chunk=[chunk_of(volume_id, chunks) for volume_id in manifest["volume_id"]],
        pretraining=("pretraining" in card.roles) & free & _within_limit(card, manifest, free),
        evaluation=manifest["volume_id"].isin(set(splits["volume_id"])),
        probed=manifest["volume_id"].isin(set(splits["volume_id"][splits["task"].isin(probed)])),
    )
    return volumes[volumes["pretraining"] | volumes["evaluation"]].reset_index(drop=True)


def _within_limit(card, manifest, free):
    """Choose the subjects that enter pretraining where the card limits them, by a hash."""
    subjects = set(manifest.loc[free, "subject"])
    order = sorted(subjects, key=lambda s: hashlib.sha256(f"{card.name}/{s}".encode()).digest())
    return manifest["subject"].isin(order[: card.pretraining_subjects])
