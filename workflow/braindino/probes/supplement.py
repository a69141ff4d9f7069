"""The probes of a task and encoder beside its heads: kNN, linear, leave-one-out."""

import logging

import pandas as pd

from braindino.errors import BadInput
from braindino.probes.knn import knn_probe
from braindino.probes.leave_out import leave_out
from braindino.probes.linear import linear_probe
from braindino.probes.probe import label_draws, probe
from braindino.probes.subsets import shuffle_targets

log = logging.getLogger(__name__)

SEEDS = 1  # assumed: a head a group, for there may be forty groups


def supplement(card, encoder, samples, draws, protocol, bins, seed):
    """Predict a task's test samples by the probes beside the heads.

    Parameters
    ----------
    As those of `braindino.probes.probe.probe` and `label_draws`.

    Returns
    -------
    DataFrame
        The predictions' columns, led by probe: 'knn' (with k and predicted), 'linear' (with
        strength), 'leave_site' and 'leave_vendor' (with group).
    """
    parts = {}
    if card.knn:
        parts["knn"] = knn_probe(card, encoder, samples, protocol)
    if card.kind != "survival":
        parts["linear"] = linear_probe(card, encoder, samples, draws, protocol)
    for by in protocol.leave_out:
        parts[f"leave_{by}"] = _left_out(card, encoder, samples, by, protocol, bins, seed)
    frames = [part.assign(probe=name) for name, part in parts.items() if part is not None]
    if not frames:
        return pd.DataFrame(columns=["probe"])
    joined = pd.concat(frames, ignore_index=True)
    return joined[["probe", *(name for name in joined if name != "probe")]]


def _left_out(card, encoder, samples, by, protocol, bins, seed):
    """Return predictions of each group by a head that never saw it; None without two groups."""
    split, subsets = leave_out(samples.table, by, SEEDS)
    if protocol.shuffle_labels:  # of those that were test samples before
        split = shuffle_targets(split, seed)
    draws = []
    for fold, subset in subsets.groupby("fold"):
        try:
            draws += label_draws(card, split, subset, protocol, bins, seed)[0]
        except BadInput as error:  # e.g. the other groups hold one class
            name = split.loc[split["fold"] == fold, "group"].iloc[0]
            log.info("nothing is predicted of the %s %s: %s", by, name, error)
    if not draws:
        return None
    made = probe(card, encoder, samples._replace(table=split), draws, protocol, seed)
    return made.merge(split[["fold", "volume_id", "group"]], on=["fold", "volume_id"])
