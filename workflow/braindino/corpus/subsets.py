"""Label subsets: nested shares of the training subjects (paper §2.1)."""

import pandas as pd

from braindino.corpus.columns import SUBSETS
from braindino.corpus.strata import stratified_order, subject_strata
from braindino.seeds import derive_rng


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
