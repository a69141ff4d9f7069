"""A frozen evaluation: every label ratio and seed of a task on one encoder's features."""

import numpy as np
import pandas as pd
import torch

from braindino.corpus.strata import stratified_order, subject_strata
from braindino.errors import BadInput
from braindino.probes.train import train_heads
from braindino.seeds import derive_rng, derive_seed


def probe(card, encoder, volumes, features, split, subsets, protocol, bins, seed):
    """Train the heads of a task and predict its test volumes.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    encoder : str
        Name of the encoder.
    volumes : list of str
        volume_id of each row of `features`.
    features : ndarray [n, dim]
    split : DataFrame
        corpus/splits/<task>.parquet.
    subsets : DataFrame
        corpus/label_subsets/<task>.parquet.
    protocol : braindino.settings.probes.Probes
    bins : int
        Quantile bins that stratify the inner validation split of a regression.
    seed : int

    Returns
    -------
    DataFrame
        DESIGN's predictions: task, encoder, ratio, seed, fold, subject, volume_id, target, then
        score_0 … score_{K-1} (probabilities) or prediction (in the target's unit).

    Raises
    ------
    BadInput
        When a task is left without training or test volumes.
    """
    train, test = _rows(card, split, volumes)
    draws = {key: set(draw["subject"]) for key, draw in subsets.groupby(["ratio", "seed"])}
    masks = [_inner_split(card, train, draw, protocol, bins, seed) for draw in draws.items()]
    fit, validate = (torch.from_numpy(np.stack(part)) for part in zip(*masks, strict=True))
    targets, scale = _targets(card, train, fit | validate)
    heads = train_heads(
        torch.from_numpy(features[train["row"]]),
        targets,
        fit,
        validate,
        card.kind,
        len(card.classes) if card.classes else 1,
        protocol,
        [_generator(seed, card.name, encoder, *key) for key in draws],
    )
    with torch.no_grad():
        outputs = heads(torch.from_numpy(features[test["row"]])).double() * scale[1] + scale[0]
    frames = [
        _predictions(card, encoder, *key, test, out)
        for key, out in zip(draws, outputs, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _rows(card, split, volumes):
    """Return the train and test rows of a split whose volumes have features."""
    row_of = {volume_id: row for row, volume_id in enumerate(volumes)}
    split = split.assign(row=split["volume_id"].map(row_of)).dropna(subset=["row"])
    split = split.astype({"row": int})
    train, test = (split[split["split"] == p].reset_index(drop=True) for p in ("train", "test"))
    if train["subject"].nunique() < 2 or test.empty:
        raise BadInput(
            f"task {card.name}: {train['subject'].nunique()} training subjects and {len(test)} "
            f"test volumes are left after imaging; see corpus/rejects.csv."
        )
    return train, test


def _inner_split(card, train, draw, protocol, bins, seed):
    """Divide a label subset into the volumes to learn from and those that pick the step."""
    key, subjects = draw
    labelled = train[train["subject"].isin(subjects)]
    if labelled.empty:
        raise BadInput(
            f"task {card.name}: no volume of the label subset (ratio, seed) = {key} is left after "
            f"imaging; see corpus/rejects.csv."
        )
    strata = subject_strata(card, labelled, bins)
    order = stratified_order(strata, derive_rng(seed, card.name, *key, "validation"))[::-1]
    held = min(max(1, round(protocol.validation_fraction * len(order))), len(order) - 1)
    # With one subject there is nothing to hold out: it both fits and validates.
    fit = train["subject"].isin(order[held:])
    validate = train["subject"].isin(order[:held] or order)
    return fit.to_numpy(), validate.to_numpy()


def _targets(card, train, labelled):
    """Return each head's targets [heads, n], and the offset and scale back to their unit.

    Regression targets are standardised by the mean and SD of the head's own label subset
    (`assumed`: at the stated learning rate a head cannot reach an offset of decades).
    """
    if card.kind == "classification":
        classes = torch.tensor(train["target"].to_numpy(), dtype=torch.long)
        return classes.expand(len(labelled), -1), (0, 1)
    values = torch.tensor(train["target"].to_numpy(), dtype=torch.float64)
    count = labelled.sum(1, keepdim=True)
    mean = (values * labelled).sum(1, keepdim=True) / count
    sd = (((values - mean) ** 2 * labelled).sum(1, keepdim=True) / count).sqrt()
    sd = torch.where(sd > 0, sd, 1)
    return ((values - mean) / sd).float(), (mean[..., None], sd[..., None])


def _generator(*parts):
    return torch.Generator().manual_seed(derive_seed(*parts, "head"))


def _predictions(card, encoder, ratio, draw, test, output):
    frame = pd.DataFrame(
        {"task": card.name, "encoder": encoder, "ratio": ratio, "seed": draw}, index=test.index
    )
    known = ["fold", "subject", "volume_id", "target"]
    frame[known] = test[known]
    if card.kind == "regression":
        return frame.assign(prediction=output[:, 0].numpy())
    scores = output.softmax(-1).numpy()
    columns = {f"score_{k}": scores[:, k] for k in range(scores.shape[1])}
    return frame.astype({"target": int}).assign(**columns)
