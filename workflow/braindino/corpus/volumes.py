"""Which volumes of a cohort this run uses, for what, and in which chunk."""

import hashlib
import math

COLUMNS = ["volume_id", "subject", "modality", "path", "skull_stripped"]


def count_chunks(card, config):
    """Return the number of imaging jobs of a cohort, known before any scan is listed."""
    volumes = card.expected.volumes
    if card.name in config.phantoms:
        volumes = config.phantoms[card.name] * max(len(card.scans), 1)
    return max(1, math.ceil((volumes or 0) / config.imaging.volumes_per_chunk))


def chunk_of(volume_id, chunks):
    """Assign a volume to a chunk by a hash of its id, stable as the cohort grows."""
    digest = hashlib.sha256(volume_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % chunks


def select_volumes(card, manifest, splits, modalities, chunks):
    """List the volumes of a cohort that pretraining or a task needs.

    No test subject of any task enters pretraining, by any of their scans (paper §4.1.1).

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    manifest : DataFrame
    splits : DataFrame
        All tasks' splits, concatenated.
    modalities : list of str
        Contrasts that enter pretraining.
    chunks : int

    Returns
    -------
    DataFrame
        volume_id, subject, modality, path, skull_stripped, chunk, pretraining, evaluation.
    """
    test = set(splits.loc[splits["split"] == "test", "subject"])
    subject = card.name + "/" + manifest["subject"].astype(str)
    corpus = "pretraining" in card.roles
    volumes = manifest[COLUMNS].assign(
        chunk=[chunk_of(volume_id, chunks) for volume_id in manifest["volume_id"]],
        pretraining=corpus & manifest["modality"].isin(modalities) & ~subject.isin(test),
        evaluation=manifest["volume_id"].isin(set(splits["volume_id"])),
    )
    return volumes[volumes["pretraining"] | volumes["evaluation"]].reset_index(drop=True)
