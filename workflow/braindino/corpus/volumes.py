"""Which volumes of a cohort this run uses, for what, and in which chunk."""

import hashlib

from braindino.corpus.chunks import chunk_of
from braindino.corpus.persons import subject_keys

COLUMNS = ["volume_id", "subject", "modality", "path", "skull_stripped"]


def select_volumes(
    card, manifest, persons, splits, probed, modalities, chunks, compared=(), count=0
):
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
    compared : list of str
        Contrasts of the cohort whose features are compared between encoders.
    count : int
        The most volumes to compare.

    Returns
    -------
    DataFrame
        volume_id, subject, modality, path, skull_stripped, chunk, and the flags pretraining,
        evaluation (a task splits it) and probed (a task or a comparison needs its features).
    """
    test = splits.loc[splits["split"] == "test", "subject"]
    test = {persons.get(subject, subject) for subject in test}
    person = subject_keys(manifest).map(lambda subject: persons.get(subject, subject))
    free = manifest["modality"].isin(modalities) & ~person.isin(test)
    wanted = {
        *splits["volume_id"][splits["task"].isin(probed)],
        *first_volumes(manifest, compared, count),
    }
    volumes = manifest[COLUMNS].assign(
        chunk=[chunk_of(volume_id, chunks) for volume_id in manifest["volume_id"]],
        pretraining=("pretraining" in card.roles) & free & _within_limit(card, manifest, free),
        evaluation=manifest["volume_id"].isin(set(splits["volume_id"])),
        probed=manifest["volume_id"].isin(wanted),
    )
    used = volumes["pretraining"] | volumes["evaluation"] | volumes["probed"]
    return volumes[used].reset_index(drop=True)


def first_volumes(manifest, modalities, count):
    """List the first volumes of some contrasts in order of subject, without shuffling (§4.6)."""
    own = manifest[manifest["modality"].isin(list(modalities))]
    rank = own["modality"].map({name: place for place, name in enumerate(modalities)})
    ordered = own.assign(rank=rank).sort_values(["subject", "session", "rank", "volume_id"])
    return list(ordered["volume_id"][:count])


def _within_limit(card, manifest, free):
    """Choose the subjects that enter pretraining where the card limits them, by a hash."""
    subjects = set(manifest.loc[free, "subject"])
    order = sorted(subjects, key=lambda s: hashlib.sha256(f"{card.name}/{s}".encode()).digest())
    return manifest["subject"].isin(order[: card.pretraining_subjects])
