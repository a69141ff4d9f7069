"""A frozen evaluation: every label ratio, seed and fold of a task on one encoder's features."""

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from braindino.corpus.columns import REJECTS
from braindino.errors import BadInput
from braindino.probes.oversample import oversample
from braindino.probes.predictions import predictions
from braindino.probes.subsets import head_key, inner_split, labelled_rows
from braindino.probes.targets import Scale, can_choose, head_loss, head_targets, untrainable
from braindino.probes.train import Lesson, train_heads
from braindino.seeds import derive_seed

log = logging.getLogger(__name__)


class Draw(NamedTuple):
    """A head's label subset: places in the samples' table, and the targets that it sees.

    `fit` is learnt from, `validate` picks the epoch; `labelled` are the places of the subset, which
    are both of these unless the test set picks the epoch.
    """

    ratio: float
    seed: int
    fold: int
    fit: np.ndarray
    validate: np.ndarray
    labelled: np.ndarray
    targets: torch.Tensor
    scale: Scale


def probe(card, encoder, samples, draws, protocol, seed):
    """Train a head a label subset and predict the test samples of its fold.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    encoder : str
        Name of the encoder.
    samples : braindino.probes.samples.Samples
    draws : list of Draw
        As `label_draws` returns them.
    protocol : braindino.settings.probes.Probes
        The task's own.
    seed : int

    Returns
    -------
    DataFrame
        See `braindino.probes.predictions.predictions`.
    """
    heads = fit_heads(card, encoder, samples, draws, protocol, seed)
    return predictions(card, encoder, samples, draws, heads)


def fit_heads(card, encoder, samples, draws, protocol, seed):
    """Train the heads of `probe`, one a label subset; each is the same whichever train with it.

    Returns
    -------
    braindino.probes.head.Heads
        One a draw.
    """
    features, lessons = [samples.features], []
    for draw in draws:
        own = derive_seed(seed, card.name, encoder, *head_key(*draw[:3]), "head")
        lesson, made = _lesson(card, samples, draw, protocol, own, sum(map(len, features)))
        lessons.append(lesson)
        features.append(made)
    outputs = len(card.classes) if card.classes else 1
    known = torch.from_numpy(np.concatenate(features))
    return train_heads(known, lessons, outputs, head_loss(card), protocol)


def label_draws(card, table, subsets, protocol, bins, seed):
    """Look up what every head knows: a label subset, divided by the inner split.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    table : DataFrame
        Of the task's samples.
    subsets : DataFrame
        corpus/label_subsets/<task>.parquet.
    protocol : braindino.settings.probes.Probes
    bins : int
        Quantile bins that stratify the inner split of a number.
    seed : int

    Returns
    -------
    draws : list of Draw
    rejects : DataFrame
        Label subsets from which nothing can be learnt, in the columns of rejected volumes. Such a
        seed is left out in all folds, for they are scored together.

    Raises
    ------
    BadInput
        When nothing can be learnt from any.
    """
    draws, reasons = [], {}
    for (ratio, draw, fold), subset in subsets.groupby(["ratio", "seed", "fold"]):
        places = labelled_rows(table, fold, set(subset["subject"]))
        if reason := untrainable(card, table.iloc[places]):
            reasons.setdefault((ratio, draw), f"fold {fold}: {reason}")
            continue
        key = head_key(ratio, draw, fold)
        fit, validate = _parts(card, table, places, key, fold, protocol, bins, seed)
        known = np.isin(np.arange(len(table)), places)
        targets, scale = head_targets(card, table, known)
        draws.append(Draw(ratio, draw, fold, fit, validate, places, targets, scale))
    draws = [draw for draw in draws if draw[:2] not in reasons]
    if not draws:
        raise BadInput(
            f"task {card.name}: no label subset can be learnt from "
            f"({next(iter(reasons.values()), 'there is none')}); see corpus/rejects.csv."
        )
    small = sum(np.array_equal(draw.fit, draw.validate) for draw in draws)
    if small:
        log.info(
            "%s: %d of %d label subsets are too small to hold labels out that could pick the "
            "epoch; those learnt from do", card.name, small, len(draws),
        )  # fmt: skip
    return draws, _unlearnt(card, reasons)


def _parts(card, table, places, key, fold, protocol, bins, seed):
    """Return the places to learn from, and those that pick the epoch.

    Where the inner split leaves nothing to learn or to choose by, all of the subset do both.
    """
    if protocol.selection == "paper":
        test = (table["fold"] == fold) & (table["split"] == "test")
        return places, np.flatnonzero(test)
    labelled = table.iloc[places]
    fit, validate = inner_split(card, labelled, key, protocol, bins, seed)
    if untrainable(card, labelled[fit]) or not can_choose(card, labelled[validate]):
        return places, places
    return places[fit], places[validate]


def _unlearnt(card, reasons):
    rows = [
        (
            f"labels of {card.name}",
            f"probe {card.name}",
            f"ratio {ratio:g}, seed {draw}, {reason}",
        )
        for (ratio, draw), reason in reasons.items()
    ]
    return pd.DataFrame(rows, columns=REJECTS)


def _lesson(card, samples, draw, protocol, seed, made_from):
    """Return a head's lesson, and its synthetic features, which follow the `made_from` others."""
    row = samples.table["row"].to_numpy()
    fit, fit_targets = torch.from_numpy(row[draw.fit]), draw.targets[draw.fit]
    made = samples.features[:0]
    if card.oversample:
        real = samples.features[row[draw.fit]]
        made, classes = oversample(real, fit_targets.numpy(), protocol.smote_neighbours, seed)
        fit = torch.cat([fit, made_from + torch.arange(len(made))])
        fit_targets = torch.cat([fit_targets, torch.from_numpy(classes)])
    validate = torch.from_numpy(row[draw.validate])
    return Lesson(fit, fit_targets, validate, draw.targets[draw.validate], seed), made
