"""Predictions of trained heads on their test samples, as tables."""

import numpy as np
import pandas as pd
import torch

from braindino.corpus.columns import COVARIATES

FEW = 10  # assumed: a line through fewer ages than that is noise


def predictions(card, encoder, samples, draws, heads):
    """Predict the test samples of every head's fold.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    encoder : str
    samples : braindino.probes.samples.Samples
    draws : list of braindino.probes.probe.Draw
    heads : braindino.probes.head.Heads
        One a draw.

    Returns
    -------
    DataFrame
        task, encoder, ratio, seed, fold, subject, volume_id, target, then score_0 … score_{K-1}
        (probabilities) or prediction (in the target's unit). Of survival tasks time and event
        instead of target, and prediction is the log hazard less that of the median training
        patient, for the Cox loss knows nothing of a constant in it. A brain age has gap_corrected:
        prediction less age, less what that gap is at this age in the head's validation subjects
        (Beheshti et al. 2019); missing where those are few.
    """
    row = samples.table["row"].to_numpy()
    features = torch.from_numpy(samples.features)
    frames = [
        predict(card, encoder, samples.table, draw, heads.take([number])(features)[0][row])
        for number, draw in enumerate(draws)
    ]
    return pd.concat(frames, ignore_index=True)


def predict(card, encoder, table, draw, outputs):
    """Return the predictions of one head; `outputs` [n, outputs] follow the samples' table.

    Rows that are neither labelled for the head nor in its test set are not looked at.
    """
    test = np.flatnonzero((table["fold"] == draw.fold) & (table["split"] == "test"))
    frame = identity(card, encoder, draw.ratio, draw.seed, table.iloc[test])
    outputs = outputs.double()
    if card.kind == "classification":
        return with_scores(frame, outputs[test].softmax(-1).numpy())
    values = draw.scale.back(outputs[:, 0].numpy())
    if card.kind == "survival":
        values = values - np.median(values[draw.labelled])
    frame["prediction"] = values[test]
    if card.target == "age":
        frame["gap_corrected"] = _corrected(frame, table, draw, values)
    return frame


def identity(card, encoder, ratio, seed, test):
    """Return the columns that say what a prediction is of."""
    frame = pd.DataFrame(
        {"task": card.name, "encoder": encoder, "ratio": ratio, "seed": seed}, index=test.index
    )
    known = ["fold", "subject", "volume_id"]
    frame[known] = test[known]
    if card.kind == "survival":
        frame[["time", "event"]] = test[["target", "event"]].to_numpy(float)
    else:
        frame["target"] = test["target"]
    if card.kind == "classification":
        frame["target"] = frame["target"].astype(int)
    covariates = [name for name in COVARIATES if name in test]
    frame[covariates] = test[covariates]
    return frame


def with_scores(frame, scores):
    """Add the probabilities of the classes."""
    return frame.assign(**{f"score_{k}": scores[:, k] for k in range(scores.shape[1])})


def _corrected(frame, table, draw, predicted):
    held_out = np.setdiff1d(np.intersect1d(draw.validate, draw.labelled), draw.fit)
    age = table["target"].to_numpy(float)[held_out]
    if len(np.unique(age)) < FEW:
        return np.nan
    slope, offset = np.polyfit(age, predicted[held_out] - age, 1)
    return frame["prediction"] - frame["target"] * (1 + slope) - offset
