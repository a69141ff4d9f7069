"""The samples of a task: a volume's features, or those of a visit's contrasts averaged."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from braindino.corpus.columns import REJECTS
from braindino.encoders.features import read_features
from braindino.errors import BadInput
from braindino.probes.subsets import shuffle_targets


class Samples(NamedTuple):
    """What the probes of a task see.

    Attributes
    ----------
    table : DataFrame
        The task's split, one row a fold and sample; `row` is the sample's row of `features`.
    features : ndarray [n, dim], float32
    rejects : DataFrame
        Volumes without usable features: volume_id, stage, reason.
    """

    table: pd.DataFrame
    features: np.ndarray
    rejects: pd.DataFrame


def read_samples(card, split, files, protocol, seed):
    """Return a task's samples from files of features; see `gather_samples`.

    With `protocol.shuffle_labels` the training targets are dealt anew.
    """
    samples = gather_samples(card, split, *read_features(files, card.tokens))
    if not protocol.shuffle_labels:
        return samples
    return samples._replace(table=shuffle_targets(samples.table, seed))


def gather_samples(card, split, volumes, features):
    """Join a task's split with cached features.

    Of a task with fusion, a visit is one sample: the mean of its contrasts' features (§4.3.4);
    its volume_id ends with the contrasts, e.g. T1c+FLAIR.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    split : DataFrame
        corpus/splits/<task>.parquet.
    volumes : list of str
        volume_id of each row of `features`.
    features : ndarray [n, dim]

    Returns
    -------
    Samples

    Raises
    ------
    BadInput
        When fewer than two training subjects or no test sample are left in a fold.
    """
    rows = pd.Series(range(len(volumes)), volumes, dtype=float)
    row = split["volume_id"].map(rows)
    lost, bad = row.isna(), row.isin(np.flatnonzero(~np.isfinite(features).all(1)))
    rejects = [
        _rejects(card, split[lost], "no features: the scan was rejected before"),
        _rejects(card, split[bad], "its features are not finite"),
    ]
    table = split[~lost & ~bad].assign(row=row[~lost & ~bad].astype(int))
    if card.fusion:
        table, features, incomplete = _fuse(card, table, features)
        rejects.append(incomplete)
    _check(card, table)
    return Samples(table.reset_index(drop=True), features, pd.concat(rejects, ignore_index=True))


def _fuse(card, table, features):
    """Average the contrasts of each visit; a visit that lacks one is left out."""
    visit = ["subject", "session"]
    held = table.groupby(["fold", *visit])["modality"].transform("nunique")
    complete = table[held == len(card.modalities)]
    why = "features of another contrast of its visit are missing"
    rejects = _rejects(card, table[held < len(card.modalities)], why)
    once = complete.drop_duplicates("volume_id")
    number = once.groupby(visit, sort=True).ngroup().to_numpy()
    fused = np.zeros((number.max(initial=-1) + 1, features.shape[1]), np.float64)
    np.add.at(fused, number, features[once["row"]])
    fused /= np.bincount(number)[:, None]
    row_of = dict(zip(once["volume_id"], number, strict=True))
    first = complete.drop_duplicates(["fold", *visit])
    names = first["volume_id"].str.rpartition("/")[0] + "/" + "+".join(card.modalities)
    rows = first["volume_id"].map(row_of)
    return first.assign(volume_id=names, row=rows), fused.astype(np.float32), rejects


def _check(card, table):
    """Every fold needs people on both sides."""
    subjects = table.groupby("split")["subject"].nunique()
    train, test = subjects.get("train", 0), subjects.get("test", 0)
    folds = {part: set(rows["fold"]) for part, rows in table.groupby("split")}
    if train < 2 or test < 1 or folds["train"] != folds["test"]:
        raise BadInput(
            f"task {card.name}: {train} training subjects and {test} test subjects are left after "
            "imaging, or none of a fold; see corpus/rejects.csv."
        )


def _rejects(card, rows, reason):
    ids = rows["volume_id"].drop_duplicates()
    return pd.DataFrame({"volume_id": ids, "stage": f"probe {card.name}", "reason": reason})[
        REJECTS
    ]
