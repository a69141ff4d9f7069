"""Label subsets as heads use them: what to learn from, and what picks the epoch."""

import numpy as np

from braindino.corpus.strata import stratified_order, subject_strata
from braindino.seeds import derive_rng


def inner_split(card, labelled, key, protocol, bins, seed):
    """Divide a label subset by subject, stratified: the rest picks the epoch.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    labelled : DataFrame
        Samples of the label subset.
    key : tuple
        Ratio, seed and perhaps fold, which enter the draw.
    protocol : braindino.settings.probes.Probes
    bins, seed : int

    Returns
    -------
    fit, validate : ndarray of bool [n]
        With one subject there is nothing to hold out: it does both.
    """
    strata = subject_strata(card, labelled, bins)
    order = stratified_order(strata, derive_rng(seed, card.name, *key, "validation"))[::-1]
    held = min(max(1, round(protocol.validation_fraction * len(order))), len(order) - 1)
    fit = labelled["subject"].isin(order[held:])
    validate = labelled["subject"].isin(order[:held] or order)
    return fit.to_numpy(), validate.to_numpy()


def shuffle_targets(table, seed):
    """Deal the training targets of each fold anew: what is learnt from them is worth nothing.

    Targets (of survival tasks with their events) move from volume to volume at random.
    """
    columns = [name for name in ("target", "event") if name in table]
    shuffled = table.copy()
    for fold, part in table[table["split"] == "train"].groupby("fold"):
        order = derive_rng(seed, part["task"].iloc[0], "shuffle", fold).permutation(len(part))
        shuffled.loc[part.index, columns] = part[columns].to_numpy()[order]
    return shuffled


def head_key(ratio, draw, fold):
    """Name a head: ratio and seed, and the fold where there are several."""
    return (ratio, draw) if fold == 0 else (ratio, draw, fold)


def labelled_rows(table, fold, subjects):
    """Return which samples of a fold's training part belong to a label subset."""
    mask = (table["fold"] == fold) & (table["split"] == "train") & table["subject"].isin(subjects)
    return np.flatnonzero(mask)
