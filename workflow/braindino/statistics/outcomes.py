"""Test predictions of one encoder at one label ratio, aligned over label seeds."""

from dataclasses import dataclass

import numpy as np

from braindino.errors import BadInput
from braindino.statistics.segmentation import CASE_SCORES

KEYS = ["subject", "volume_id", "fold"]
SEVERAL = ("classification", "segmentation")  # kinds of task that predict several columns


@dataclass(frozen=True)
class Outcomes:
    """Predictions on one test set.

    Attributes
    ----------
    volumes : ndarray of str [volumes]
        Volume ids, sorted by subject.
    subject : ndarray of int [volumes]
        Index of each volume's subject; the subject is the unit of resampling.
    target : ndarray of float [volumes] or [volumes, 2]
        Class index, or number to predict, or time and event.
    predicted : ndarray of float [seeds, volumes, columns] or [seeds, volumes]
        Class probabilities, or predicted numbers, or log hazards; of segmentations, scores.
    """

    volumes: np.ndarray
    subject: np.ndarray
    target: np.ndarray
    predicted: np.ndarray

    @property
    def n_subjects(self):
        """Number of test subjects."""
        return int(self.subject.max()) + 1

    def subject_means(self, values):
        """Average `values` [seeds, volumes] over seeds and each subject's volumes: [subjects]."""
        total = np.bincount(self.subject, weights=values.mean(axis=0))
        return total / np.bincount(self.subject)

    def absolute_errors(self):
        """Return each subject's mean absolute error, in the target's unit: [subjects]."""
        return self.subject_means(np.abs(self.predicted - self.target))

    def errors_by_seed(self):
        """Return each subject's mean absolute error of each label seed: [seeds, subjects]."""
        return self._by_seed(np.abs(self.predicted - self.target))

    def true_scores(self):
        """Return the probability of the true class of each seed and subject: [seeds, subjects]."""
        index = np.broadcast_to(self.target.astype(int), self.predicted.shape[:2])[..., None]
        return self._by_seed(np.take_along_axis(self.predicted, index, axis=2)[..., 0])

    def _by_seed(self, values):
        return np.stack([self.subject_means(row[None]) for row in values])


def score_columns(card):
    """Name the prediction columns of a task."""
    if card.kind == "classification":
        return [f"score_{k}" for k in range(len(card.classes))]
    if card.kind == "segmentation":
        return CASE_SCORES
    return ["prediction"]


def target_columns(card):
    """Name the columns of what was to be predicted."""
    return ["time", "event"] if card.kind == "survival" else ["target"]


def pool_folds(frame, card):
    """Average each scan's predictions over the folds that held it out (§4.3.2).

    Parameters
    ----------
    frame : DataFrame
        Rows of one encoder and ratio in the contract's prediction columns.

    Returns
    -------
    DataFrame
        One row a seed and scan, in fold 0.
    """
    by = frame.groupby(["seed", "subject", "volume_id"], as_index=False)
    scores = score_columns(card)
    first = by.first().drop(columns=scores)
    return first.merge(by[scores].mean(), on=["seed", "subject", "volume_id"]).assign(fold=0)


def pool_encoders(frame, card):
    """Pool the folds of each encoder's predictions at one ratio, as `pool_folds` does."""
    encoders = frame.groupby("encoder", group_keys=False)
    return encoders[list(frame)].apply(pool_folds, card)


def align(frame, card):
    """Align predictions of one encoder and ratio into `Outcomes`.

    Parameters
    ----------
    frame : DataFrame
        Rows of one encoder and ratio in the contract's prediction columns.
    card : TaskCard
        The task.

    Raises
    ------
    BadInput
        If a column is missing, a prediction is not finite, or seeds differ in their volumes.
    """
    columns, targets = score_columns(card), target_columns(card)
    _check_columns(frame, [*KEYS, "seed", *targets, *columns], card)
    rows = frame.sort_values(["seed", *KEYS], kind="stable")
    seeds = rows["seed"].nunique()
    keys = rows[KEYS].to_numpy(str)
    if len(rows) % seeds or not _repeats(keys.reshape(seeds, -1, len(KEYS))):
        raise BadInput(f"{_name(frame)}: the seeds differ in their test volumes; predict again")
    n = len(rows) // seeds
    predicted = rows[columns].to_numpy(float).reshape(seeds, n, -1)
    if not np.isfinite(predicted).all():
        raise BadInput(f"{_name(frame)}: a prediction is not finite; look at the head's training")
    target = rows[targets].to_numpy(float)[:n]
    return Outcomes(
        volumes=keys[:n, 1],
        subject=np.unique(keys[:n, 0], return_inverse=True)[1],
        target=target if card.kind == "survival" else target[:, 0],
        predicted=predicted if card.kind in SEVERAL else predicted[..., 0],
    )


def _repeats(keys):
    first = keys[0]
    distinct = len(np.unique(first, axis=0)) == len(first)
    return distinct and bool((keys == first).all())


def _check_columns(frame, columns, card):
    missing = [column for column in columns if column not in frame]
    if missing:
        raise BadInput(
            f"{_name(frame)}: no column {', '.join(missing)}; the card of task "
            f"'{card.name}' and its predictions disagree, predict again"
        )


def _name(frame):
    first = frame.iloc[0]
    return f"predictions/{first['task']}/{first['encoder']}.parquet, ratio {first['ratio']}"
