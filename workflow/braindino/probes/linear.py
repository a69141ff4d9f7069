"""Linear reference probes: a cross-check that the heads are trained well."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from braindino.probes.predictions import identity, with_scores
from braindino.probes.targets import untrainable

ITERATIONS = 1000


def linear_probe(card, encoder, samples, draws, protocol):
    """Fit logistic or ridge regression on all training samples, once a fold.

    The strength of regularisation is the best on the inner validation split of the head with
    the same labels; then all labelled samples are fitted.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
        Of a classification or a regression.
    encoder : str
    samples : braindino.probes.samples.Samples
    draws : list of braindino.probes.probe.Draw
        Of which the full label subsets of the first seed are used.
    protocol : braindino.settings.probes.Probes

    Returns
    -------
    DataFrame
        The predictions' columns, with strength, the C (ridge: 1/alpha) that was picked.
    """
    full = max(draw.ratio for draw in draws)
    first = min(draw.seed for draw in draws if draw.ratio == full)
    frames = []
    for draw in draws:
        if (draw.ratio, draw.seed) == (full, first):
            test = samples.table[
                (samples.table["fold"] == draw.fold) & (samples.table["split"] == "test")
            ]
            frames.append(_fold(card, encoder, samples, draw, test, protocol))
    return pd.concat(frames, ignore_index=True)


def _fold(card, encoder, samples, draw, test, protocol):
    scores = {c: _score(card, samples, draw, c) for c in protocol.strengths}
    best = min(scores, key=scores.get)
    model = _fit(card, samples, draw, draw.labelled, best)
    inputs = samples.features[test["row"]]
    frame = identity(card, encoder, draw.ratio, draw.seed, test).assign(strength=best)
    if card.kind == "classification":
        return with_scores(frame, _probabilities(card, model, inputs))
    return frame.assign(prediction=draw.scale.back(model.predict(inputs)))


def _score(card, samples, draw, strength):
    """Return the loss on the inner validation split; without two values to fit, infinity."""
    if untrainable(card, samples.table.iloc[draw.fit]):
        return np.inf
    model = _fit(card, samples, draw, draw.fit, strength)
    inputs = samples.features[samples.table["row"].to_numpy()[draw.validate]]
    truth = draw.targets[draw.validate].numpy()
    if card.kind == "classification":
        return log_loss(truth, _probabilities(card, model, inputs), labels=range(len(card.classes)))
    return mean_squared_error(truth, model.predict(inputs))


def _fit(card, samples, draw, places, strength):
    if card.kind == "classification":
        model = LogisticRegression(C=strength, max_iter=ITERATIONS)
    else:
        model = Ridge(1 / strength)
    inputs = samples.features[samples.table["row"].to_numpy()[places]]
    return make_pipeline(StandardScaler(), model).fit(inputs, draw.targets[places].numpy())


def _probabilities(card, model, inputs):
    """Return the classes' probabilities, 0 of those that were not learnt."""
    scores = np.zeros((len(inputs), len(card.classes)))
    scores[:, model.classes_] = model.predict_proba(inputs)
    return scores / scores.sum(1, keepdims=True)  # of float32, not exactly 1
