"""Heads on slices of other planes than the paper's axial ones."""

from pathlib import Path

import pandas as pd

from braindino.probes.probe import label_draws, probe
from braindino.probes.samples import read_samples


def plane_probes(card, encoder, split, files, subsets, protocol, bins, seed):
    """Predict a task's test samples by heads on the features of each plane.

    A head a fold, with all labels of the first seed: the axial head's labels, inner split and
    first weights, so that the two differ by the plane alone.

    Parameters
    ----------
    files : list of path
        features/<encoder>/<plane>/<dataset>.parquet of all planes.
    others
        As those of `braindino.probes.samples.read_samples` and `label_draws`.

    Returns
    -------
    DataFrame
        The predictions' columns, with probe, the plane; empty without files.
    """
    full = subsets[subsets["ratio"] == subsets["ratio"].max()]
    full = full[full["seed"] == full["seed"].min()]
    frames = [pd.DataFrame(columns=["probe"])]
    for plane in dict.fromkeys(Path(file).parent.name for file in files):
        own = [file for file in files if Path(file).parent.name == plane]
        samples = read_samples(card, split, own, protocol, seed)
        draws, _ = label_draws(card, samples.table, full, protocol, bins, seed)
        made = probe(card, encoder, samples, draws, protocol, seed)
        frames.append(made.assign(probe=plane))
    return pd.concat(frames, ignore_index=True)
