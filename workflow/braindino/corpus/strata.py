"""Strata of subjects, and orders of which every prefix holds them in proportion."""

import numpy as np
import pandas as pd


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
