"""Subject-level splits, stratified and seeded (paper §4.1.1)."""

import hashlib

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from braindino.corpus.columns import SPLITS
from braindino.corpus.strata import stratified_order, subject_strata
from braindino.seeds import derive_rng

NNUNET_FOLDS, NNUNET_SEED = 5, 12345  # nnU-Net's own; the paper uses fold 0 (§4.3.1)


def split_subjects(card, volumes, persons, bins, seed, share=None):
    """Divide a task's subjects into train and test.

    All scans of a person, under any id, go to one part. Seeded splits are stratified by target
    and cohort, and sized by the card's published counts or its test fraction; those of nnU-Net
    and of an archive are theirs.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    volumes : DataFrame
        As `task_volumes` returns them.
    persons : dict
        subject → person; who is not named is alone.
    bins : int
        Quantile bins by which a number is stratified.
    seed : int
    share : float, optional
        Share of the subjects that a seeded split holds out, in place of the card's.

    Returns
    -------
    DataFrame
        `volumes` once a fold, with the columns split ('train' or 'test') and fold.
    """
    person = volumes["subject"].map(lambda subject: persons.get(subject, subject))
    grouped = volumes.assign(subject=person)
    frames = []
    for fold in range(card.folds):
        test = person.isin(_test_persons(card, grouped, bins, seed, share, fold))
        frames.append(volumes.assign(split=np.where(test, "test", "train"), fold=fold))
    split = pd.concat(frames, ignore_index=True)
    return split[[*SPLITS, *(c for c in split if c not in SPLITS)]]


def keep_split(split, volumes):
    """Give a task the split of another: the parts and folds of its subjects, its own targets.

    Parameters
    ----------
    split : DataFrame
        The other task's, as `split_subjects` returns it.
    volumes : DataFrame
        The task's, as `task_volumes` returns them.

    Returns
    -------
    split : DataFrame
    rejects : DataFrame
        Volumes of subjects that the other split lacks: volume_id, stage, reason.
    """
    parts = split[["subject", "fold", "split"]].drop_duplicates()
    kept = volumes.merge(parts, on="subject").sort_values(["fold", "volume_id"], ignore_index=True)
    lost = volumes[~volumes["subject"].isin(parts["subject"])]
    rejects = lost[["volume_id"]].assign(
        stage="task " + lost["task"], reason="its subject is not in the split that the task follows"
    )
    return kept[[*SPLITS, *(c for c in kept if c not in SPLITS)]], rejects


def split_hash(split):
    """Hash who is where: two sites with the same hash hold the same split, no id exchanged.

    SHA-256 of the sorted lines 'fold,part,dataset/subject', joined by line feeds.
    """
    rows = split[["fold", "split", "subject"]].drop_duplicates().astype(str)
    lines = sorted(",".join(row) for row in rows.itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _test_persons(card, volumes, bins, seed, share, fold):
    """Choose the test persons of a fold."""
    if card.splitter == "archive":
        return set(volumes.loc[volumes["archive_split"] == "test", "subject"])
    if card.splitter == "nnunet":
        cases = np.sort(volumes["subject"].unique())
        folds = KFold(NNUNET_FOLDS, shuffle=True, random_state=NNUNET_SEED).split(cases)
        return set(cases[list(folds)[fold][1]])
    strata = subject_strata(card, volumes, bins)
    rng = derive_rng(seed, card.name, "split", *[fold] * (fold > 0))
    shares = None if share else _published_shares(card)
    if not shares:
        return set(_first(stratified_order(strata, rng), share or card.test_fraction))
    classes = strata.str.split().str[0].astype(float).astype(int)
    return {
        person
        for index, own in enumerate(shares)
        for person in _first(stratified_order(strata[classes == index], rng), own)
    }


def _first(order, share):
    """Take a share of an ordered list, leaving at least one on each side of the cut."""
    return order[: min(max(1, round(share * len(order))), len(order) - 1)]


def _published_shares(card):
    """Return each class's share of test subjects, where the paper counts both parts by class."""
    counts = card.published
    if not counts or card.kind != "classification":
        return None
    known = [name in counts.train and name in counts.test for name in card.classes]
    if not all(known):
        return None
    return [counts.test[c] / (counts.test[c] + counts.train[c]) for c in card.classes]
