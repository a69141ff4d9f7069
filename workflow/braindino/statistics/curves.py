"""Curves behind the numbers: reliability of classifications, Kaplan–Meier of survival."""

import pandas as pd

from braindino.files import concat_frames
from braindino.statistics.outcomes import score_columns
from braindino.statistics.scores import BINS, confidence_bins
from braindino.statistics.survival import kaplan_meier

COLUMNS = ["task", "encoder", "ratio", "curve", "x", "y", "n", "ci_low", "ci_high", "censored"]


def curves(predictions, card):
    """Return the curves of every encoder and ratio of a task.

    Parameters
    ----------
    predictions : DataFrame
        In the contract's columns.
    card : TaskCard
        Classifications have a reliability curve, all seeds and folds together: x is the mean
        confidence of a bin, y the share that is right, n the predictions. Survival tasks have a
        Kaplan–Meier curve a risk group: x is the time, y the share alive with its 95 % interval
        (Greenwood, log-log), n who is at risk, censored how many leave then.

    Returns
    -------
    DataFrame
        One row a point; without a row for other tasks.
    """
    make = {"classification": reliability, "survival": kaplan_meier}.get(card.kind)
    made = []
    for (encoder, ratio), frame in predictions.groupby(["encoder", "ratio"]) if make else ():
        points = make(frame) if card.kind == "survival" else make(frame, card)
        made.append(points.assign(task=card.name, encoder=encoder, ratio=ratio))
    return concat_frames(made, COLUMNS).reindex(columns=COLUMNS)


def reliability(frame, card):
    """Return the reliability curve of one encoder and ratio, over equal bins of confidence."""
    scores = frame[score_columns(card)].to_numpy()
    points = pd.DataFrame(
        {"x": scores.max(1), "y": (scores.argmax(1) == frame["target"]).astype(float)}
    )
    by = points.groupby(
        pd.Categorical(confidence_bins(points["x"].to_numpy()), range(BINS)), observed=False
    )
    curve = by.mean(numeric_only=True) if len(points) else points
    return curve.assign(n=by.size(), curve="reliability").dropna().reset_index(drop=True)
