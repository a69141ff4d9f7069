"""Predict perturbed test samples by the heads that the clean training samples made."""

import numpy as np
import pandas as pd

from braindino.errors import BadInput
from braindino.probes.predictions import predictions
from braindino.probes.probe import fit_heads
from braindino.probes.samples import gather_samples
from braindino.robustness.conditions import CLEAN

KEYS = ["ratio", "seed", "fold", "volume_id"]
# assumed: heads that train side by side differ in rounding from heads in other company
TOLERANCE = 1e-2


def predict_conditions(card, encoder, samples, draws, perturbed, protocol, seed):
    """Predict the test samples of a task, clean and under every condition.

    The heads are those of the frozen evaluation with all labels: trained again, from the same
    seeds on the same clean features, which costs less than to keep all of them.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    encoder : str
    samples : braindino.probes.samples.Samples
        Of the clean features.
    draws : list of braindino.probes.probe.Draw
        Of which those of the largest ratio are used.
    perturbed : dict
        condition → (Samples, lost), as `perturbed_samples` returns them.
    protocol : braindino.settings.probes.Probes
    seed : int

    Returns
    -------
    DataFrame
        The predictions' columns, led by condition.
    """
    full = max(draw.ratio for draw in draws)
    draws = [draw for draw in draws if draw.ratio == full]
    heads = fit_heads(card, encoder, samples, draws, protocol, seed)
    frames = [predictions(card, encoder, samples, draws, heads).assign(condition=CLEAN)]
    for condition, (changed, lost) in perturbed.items():
        made = predictions(card, encoder, changed, draws, heads)
        frames.append(made[~made["volume_id"].isin(lost)].assign(condition=condition))
    joined = pd.concat(frames, ignore_index=True)
    return joined[["condition", *(name for name in joined if name != "condition")]]


def perturbed_samples(card, split, samples, clean, perturbed):
    """Put perturbed features in the place of the test samples' clean ones.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    split : DataFrame
        corpus/splits/<task>.parquet.
    samples : braindino.probes.samples.Samples
        Of the clean features.
    clean, perturbed : (list of str, ndarray [n, dim])
        volume_ids and their features.

    Returns
    -------
    samples : braindino.probes.samples.Samples
        With the rows of the clean ones; training samples keep their features.
    lost : set of str
        volume_ids of the samples of which a perturbed volume has no features.
    """
    (volumes, before), (changed, after) = clean, perturbed
    place = pd.Series(range(len(changed)), changed, dtype=int).reindex(volumes)
    known = place.notna().to_numpy()
    overlaid = before.copy()
    overlaid[known] = after[place[known].astype(int)]
    # A visit's contrasts are averaged: the mean of these marks is 1 where all were perturbed.
    marks = gather_samples(card, split, volumes, known.astype(np.float32)[:, None])
    whole = marks.features[marks.table["row"], 0] == 1
    made = gather_samples(card, split, volumes, overlaid)
    test = samples.table["split"] == "test"
    row = samples.table["row"].where(~test, len(samples.features) + made.table["row"])
    stacked = np.concatenate([samples.features, made.features])
    lost = set(marks.table.loc[~whole & test, "volume_id"])
    return samples._replace(table=samples.table.assign(row=row), features=stacked), lost


def check_heads(ours, published, card):
    """See that heads trained again are those of the frozen evaluation.

    Parameters
    ----------
    ours : DataFrame
        As `predict_conditions` returns it.
    published : DataFrame
        predictions/<task>/<encoder>.parquet.
    card : braindino.settings.cards.TaskCard

    Raises
    ------
    BadInput
        When they predict other values of the clean samples.
    """
    columns = [name for name in published if name.startswith(("score_", "prediction"))]
    both = ours[ours["condition"] == CLEAN].merge(published, on=KEYS, suffixes=("", "_then"))
    gaps = [(both[name] - both[f"{name}_then"]).abs() for name in columns]
    scale = 1 if card.kind == "classification" else published["prediction"].std()
    if len(both) == 0 or np.max(gaps) > TOLERANCE * scale:
        raise BadInput(
            f"robustness/{card.name}: heads trained again predict other values than "
            f"predictions/{card.name}; remove that folder and predict both again."
        )
