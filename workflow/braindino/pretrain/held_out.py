"""Subjects kept out of pretraining, on whom it is watched."""

from pathlib import Path

import pandas as pd

from braindino.seeds import derive_seed

# Assumed: of a small corpus, the share that it does without: fewer would say next to nothing.
MOST = 0.2


def list_volumes(paths):
    """List the volumes of shards.

    Parameters
    ----------
    paths : sequence of path
        Shards `<chunk>.npy`, each beside its `<chunk>.parquet`.

    Returns
    -------
    DataFrame
        A row a volume: volume_id, dataset, subject, modality, shard (path of the .npy), first
        (row of its first slice; the others follow) and count (of slices).
    """
    frames = [_volumes(Path(path)) for path in paths]
    return pd.concat(frames, ignore_index=True)


def choose_held_out(volumes, most, seed):
    """Choose subjects by a hash of their ids, and return their volumes.

    Parameters
    ----------
    volumes : DataFrame
        As `list_volumes` returns it.
    most : int
        Volumes held out at most; of a small corpus no more than a fifth of its volumes.
    seed : int

    Returns
    -------
    DataFrame
        Rows of `volumes`, whole subjects alone; none where all volumes have one contrast.
    """
    if volumes["modality"].nunique() < 2:
        return volumes[:0]
    return _of_some_subjects(volumes, min(most, MOST * len(volumes)), seed)


def choose_bank(volumes, held_out, most, seed):
    """Choose subjects, as `choose_held_out` does, of those that are trained on.

    Returns
    -------
    DataFrame
        Rows of `volumes`, at most `most`; none of the subjects in `held_out`.
    """
    trained = volumes[~volumes["volume_id"].isin(held_out["volume_id"])]
    return _of_some_subjects(trained, most, seed)


def _of_some_subjects(volumes, most, seed):
    """Return the volumes of subjects in the order of a hash of their ids, `most` at most."""
    subjects = volumes.groupby(["dataset", "subject"], sort=True).size()
    hashes = [derive_seed(seed, "held out", *subject) for subject in subjects.index]
    drawn = subjects.iloc[pd.Series(hashes).argsort()].cumsum()
    keys = pd.MultiIndex.from_frame(volumes[["dataset", "subject"]])
    return volumes[keys.isin(drawn.index[drawn <= most])].reset_index(drop=True)


def _volumes(path):
    columns = ["volume_id", "dataset", "subject", "modality"]
    table = pd.read_parquet(path.with_suffix(".parquet"), columns=columns)
    table = table.assign(first=range(len(table)))
    grouped = table.groupby("volume_id", sort=False)
    volumes = grouped.first().assign(count=grouped.size(), shard=str(path))
    return volumes.reset_index()
