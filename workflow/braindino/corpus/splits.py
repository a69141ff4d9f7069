"""Subject-level splits and nested label subsets, stratified and seeded (paper §2.1, §4.1.1)."""

import numpy as np
import pandas as pd

from braindino.errors import BadInput
from braindino.seeds import derive_rng

SPLIT_COLUMNS = ["task", "subject", "volume_id", "split", "fold"]
SUBSET_COLUMNS = ["task", "ratio", "seed", "subject"]


def task_volumes(card, manifests):
    """Select a task's volumes and their targets.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    manifests : DataFrame
        Manifests of the task's datasets, concatenated.

    Returns
    -------
    volumes : DataFrame
        Columns task, subject (as 'dataset/subject', unique over cohorts), volume_id, dataset,
        modality and target: a number, or the index of the class.
    rejects : DataFrame
        Volumes without a usable target: volume_id, stage, reason.

    Raises
    ------
    BadInput
        When no manifest has the target, or nothing is left.
    """
    if card.target not in manifests:
        raise BadInput(
            f"config/tasks/{card.name}.yaml: target '{card.target}' is in no manifest of "
            f"{', '.join(card.datasets)}; map it under 'labels: columns' of their cards."
        )
    chosen = manifests[manifests["modality"].isin(card.modalities)].copy()
    chosen["subject"] = chosen["dataset"] + "/" + chosen["subject"].astype(str)
    chosen["task"] = card.name
    label = chosen[card.target]
    chosen["target"] = _targets(card, label)
    unusable = chosen["target"].isna()
    shown = label.where(label.notna(), "missing")
    rejects = pd.DataFrame(
        {
            "volume_id": chosen["volume_id"],
            "stage": f"task {card.name}",
            "reason": f"{card.target} is " + shown.astype(str),
        }
    )[unusable]
    columns = ["task", "subject", "volume_id", "dataset", "modality", "target"]
    volumes = chosen.loc[~unusable, columns].sort_values("volume_id", ignore_index=True)
    if volumes["subject"].nunique() < 2:
        raise BadInput(
            f"config/tasks/{card.name}.yaml: {volumes['subject'].nunique()} subjects have a usable "
            f"'{card.target}' among {len(chosen)} volumes; a split needs at least two."
        )
    return volumes, rejects.sort_values("volume_id", ignore_index=True)


def split_subjects(card, volumes, bins, seed):
    """Divide a task's subjects into train and test, stratified by cohort and target.

    Returns
    -------
    DataFrame
        `volumes` with the columns split ('train' or 'test') and fold (0).
    """
    strata = subject_strata(card, volumes, bins)
    order = stratified_order(strata, derive_rng(seed, card.name, "split"))
    n_test = min(max(1, round(card.test_fraction * len(order))), len(order) - 1)
    test = volumes["subject"].isin(order[:n_test])
    split = volumes.assign(split=np.where(test, "test", "train"), fold=0)
    return split[[*SPLIT_COLUMNS, "dataset", "modality", "target"]]


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
        Columns task, ratio, seed, subject.
    """
    train = split[split["split"] == "train"]
    strata = subject_strata(card, train, bins)
    frames = []
    for draw in range(seeds):
        order = stratified_order(strata, derive_rng(seed, card.name, "labels", draw))
        for ratio in sorted(ratios):
            size = max(round(ratio * len(order)), _classes_needed(card, train))
            chosen = {"task": card.name, "ratio": ratio, "seed": draw, "subject": order[:size]}
            frames.append(pd.DataFrame(chosen))
    return pd.concat(frames, ignore_index=True)


def subject_strata(card, volumes, bins):
    """Return a Series subject → stratum: the cohort with the target's class or quantile bin."""
    subjects = volumes.groupby("subject").agg(
        dataset=("dataset", "first"), target=("target", "mean")
    )
    if card.kind == "regression":
        ranks = subjects["target"].rank(method="first")
        subjects["target"] = pd.qcut(ranks, min(bins, len(subjects)), labels=False)
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


def _targets(card, label):
    if card.kind == "regression":
        return pd.to_numeric(label, errors="coerce").astype(float)
    index = {str(name): float(i) for i, name in enumerate(card.classes)}
    return label.astype(str).map(index)


def _classes_needed(card, train):
    return train["target"].nunique() if card.kind == "classification" else 1
