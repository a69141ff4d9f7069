"""Subject-level splits and nested label subsets, stratified and seeded (paper §2.1, §4.1.1)."""

import hashlib

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from braindino.corpus.columns import SPLITS, SUBSETS
from braindino.seeds import derive_rng

NNUNET_FOLDS, NNUNET_SEED = 5, 12345  # nnU-Net's own; the paper uses fold 0 (§4.3.1)


def split_subjects(card, volumes, persons, bins, seed):
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

    Returns
    -------
    DataFrame
        `volumes` once a fold, with the columns split ('train' or 'test') and fold.
    """
    person = volumes["subject"].map(lambda subject: persons.get(subject, subject))
    grouped = volumes.assign(subject=person)
    frames = []
    for fold in range(card.folds):
        test = person.isin(_test_persons(card, grouped, bins, seed, fold))
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
        The task's, as `task_volumes` returns them; subjects that the other lacks are left out.
    """
    parts = split[["subject", "fold", "split"]].drop_duplicates()
    kept = volumes.merge(parts, on="subject").sort_values(["fold", "volume_id"], ignore_index=True)
    return kept[[*SPLITS, *(c for c in kept if c not in SPLITS)]]


def split_hash(split):
    """Hash who is where: two sites with the same hash hold the same split, no id exchanged.

    SHA-256 of the sorted lines 'fold,part,dataset/subject', joined by line feeds.
    """
    rows = split[["fold", "split", "subject"]].drop_duplicates().astype(str)
    lines = sorted(",".join(row) for row in rows.itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def label_subsets(card, split, ratios, seeds, bins, seed):
    """Draw nested label subsets of the training subjects: 10 % lies within 20 %, and so on.

    Parameters
    ----------
    split : DataFrame
        As `split_subjects` returns it.
    ratios : list of float
        Shares of the training subjects, each rounded to at least one subject and one a class.
    seeds : int
        Subsets drawn a ratio.

    Returns
    -------
    DataFrame
        Columns task, ratio, seed, fold, subject.
    """
    frames = []
    for fold, part in split[split["split"] == "train"].groupby("fold"):
        strata = subject_strata(card, part, bins)
        classes = strata.str.split().str[0].nunique() if card.kind == "classification" else 1
        for draw in range(seeds):
            key = (card.name, "labels", draw) if fold == 0 else (card.name, "labels", draw, fold)
            order = stratified_order(strata, derive_rng(seed, *key))
            for ratio in sorted(ratios):
                chosen = {"task": card.name, "ratio": ratio, "seed": draw, "fold": fold}
                size = max(round(ratio * len(order)), classes)
                frames.append(pd.DataFrame(chosen | {"subject": order[:size]}))
    return pd.concat(frames, ignore_index=True)[SUBSETS]


def subject_strata(card, volumes, bins):
    """Return a Series subject → stratum: the cohort with the target's class or quantile bin.

    A subject whose visits differ counts by the highest class, e.g. dementia before impairment.
    """
    volumes = volumes.assign(target=0.0) if card.kind == "segmentation" else volumes
    subjects = volumes.groupby("subject").agg(
        dataset=("dataset", "first"), target=("target", "max")
    )
    if card.kind in ("regression", "survival"):
        subjects["target"] = volumes.groupby("subject")["target"].mean()
        ranks = subjects["target"].rank(method="first")
        subjects["target"] = pd.qcut(ranks, min(bins, len(subjects)), labels=False)
    if card.kind == "survival":
        subjects["target"] += bins * volumes.groupby("subject")["event"].max()
    return subjects["target"].astype(str) + " " + subjects["dataset"]


def stratified_order(strata, rng):
    """Order subjects so that every prefix holds the strata in proportion.

    Each stratum's subjects are shuffled and spread evenly over [0, 1); the order sorts by that
    place, with the first of every stratum's class moved to the front.

    Parameters
    ----------
    strata : Series
        subject → stratum, whose first word is the class or bin.
    rng : numpy.random.Generator

    Returns
    -------
    list of str
        Subjects.
    """
    strata = strata.sort_index()
    place = pd.Series(0.0, index=strata.index)
    for _, members in strata.groupby(strata):
        shuffled = rng.permutation(members.index.to_numpy())
        place[shuffled] = (np.arange(len(shuffled)) + rng.random()) / len(shuffled)
    order = place.sort_values(kind="stable").index.to_series()
    classes = strata[order].str.split().str[0]
    first = ~classes.duplicated().to_numpy()
    return [*order[first], *order[~first]]


def _test_persons(card, volumes, bins, seed, fold):
    """Choose the test persons of a fold."""
    if card.splitter == "archive":
        return set(volumes.loc[volumes["archive_split"] == "test", "subject"])
    if card.splitter == "nnunet":
        cases = np.sort(volumes["subject"].unique())
        folds = KFold(NNUNET_FOLDS, shuffle=True, random_state=NNUNET_SEED).split(cases)
        return set(cases[list(folds)[fold][1]])
    strata = subject_strata(card, volumes, bins)
    rng = derive_rng(seed, card.name, "split", *[fold] * (fold > 0))
    shares = _published_shares(card)
    if not shares:
        return set(_first(stratified_order(strata, rng), card.test_fraction))
    classes = strata.str.split().str[0].astype(float).astype(int)
    return {
        person
        for index, share in enumerate(shares)
        for person in _first(stratified_order(strata[classes == index], rng), share)
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
