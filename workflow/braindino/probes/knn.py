"""kNN probing (§4.6): a test sample is what most of its nearest training samples are."""

import numpy as np
import pandas as pd

from braindino.probes.predictions import identity, with_scores


def vote(bank, classes, queries, neighbours, count):
    """Let the nearest samples vote.

    Parameters
    ----------
    bank : ndarray [n, dim]
        Training features.
    classes : ndarray of int [n]
    queries : ndarray [m, dim]
        Test features.
    neighbours : int
        k; of a bank that is smaller, all vote.
    count : int
        Number of classes.

    Returns
    -------
    won : ndarray of int [m]
        The class with most votes; of tied ones, that with the greater summed cosine similarity.
    shares : ndarray [m, count]
        Votes over k.
    """
    similarity = unit(queries) @ unit(bank).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
    strength = np.take_along_axis(similarity, nearest, axis=1)
    chosen = classes[nearest][..., None] == np.arange(count)
    votes, summed = chosen.sum(1), (chosen * strength[..., None]).sum(1)
    tied = votes == votes.max(1, keepdims=True)
    return np.where(tied, summed, -np.inf).argmax(1), votes / nearest.shape[1]


def knn_probe(card, encoder, samples, protocol):
    """Classify the first fold's test samples by their neighbours among all training samples.

    Returns
    -------
    DataFrame
        The predictions' columns at ratio 1 and seed 0, with k and predicted, the class that won;
        score_… are the shares of the votes.
    """
    table = samples.table[samples.table["fold"] == 0]
    train, test = (table[table["split"] == part] for part in ("train", "test"))
    classes = train["target"].to_numpy(int)
    frames = []
    for k in protocol.neighbours:
        won, shares = vote(
            samples.features[train["row"]], classes, samples.features[test["row"]],
            k, len(card.classes),
        )  # fmt: skip
        frame = with_scores(identity(card, encoder, 1.0, 0, test), shares)
        frames.append(frame.assign(task=card.knn, k=k, predicted=won))
    return pd.concat(frames, ignore_index=True)


def unit(features):
    """Scale each row to length 1; a row of zeros stays."""
    length = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)
