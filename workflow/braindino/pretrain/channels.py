"""The channels of an image: one slice, or three that belong together (BrainFound)."""

from pathlib import Path

import numpy as np
import pandas as pd

# Mazher et al. 2025: three contrasts of a subject, or three slices in sequence, as the channels.
CONTRASTS = ("T1w", "T2w", "FLAIR")


class Images:
    """The image of each position of a run.

    Parameters
    ----------
    slices : braindino.pretrain.slices.Slices
    order : braindino.pretrain.order.SliceOrder
    rows : ndarray of int [slices, channels]
        Which slices make up the image of each slice.
    """

    def __init__(self, slices, order, rows):
        self.slices, self.order, self.rows = slices, order, rows

    def __getitem__(self, position):
        """Return an image [channels, height, width]."""
        return np.stack([self.slices[row] for row in self.rows[self.order[position]]])

    def identify(self, position):
        """Return where the slice of a position comes from, as a dict."""
        return self.slices.identify(self.order[position])


def channel_rows(kind, paths, held_out=()):
    """Return which slices make up the image of each slice.

    Parameters
    ----------
    kind : {"slice", "neighbours", "contrasts"}
        neighbours: with the nearest slices of the volume that were sampled below and above it,
        itself at an end. contrasts: of each of T1w, T2w and FLAIR the session's slice nearest in
        height, itself where the session lacks the contrast.
    paths : sequence of path
        Shards `<chunk>.npy`, each beside its `<chunk>.parquet`.
    held_out : collection of str
        Volumes that are passed over, as `Slices` does.

    Returns
    -------
    ndarray of int [slices, channels]
    """
    columns = ["volume_id"] if kind != "contrasts" else ["volume_id", "modality", "slice_index"]
    tables = [
        pd.read_parquet(Path(path).with_suffix(".parquet"), columns=columns) for path in paths
    ]
    table = pd.concat(tables, ignore_index=True)
    table = table[~table["volume_id"].isin(held_out)].reset_index(drop=True)
    rows = np.arange(len(table))
    if kind == "slice":
        return rows[:, None]
    if kind == "neighbours":
        return _neighbours(table["volume_id"].to_numpy())
    return _contrasts(table)


def _neighbours(volumes):
    rows = np.arange(len(volumes))
    starts = np.r_[True, volumes[1:] != volumes[:-1]][: len(rows)]
    ends = np.r_[starts[1:], True][: len(rows)]
    return np.stack(
        [np.where(starts, rows, rows - 1), rows, np.where(ends, rows, rows + 1)], axis=1
    )


def _contrasts(table):
    rows = np.repeat(np.arange(len(table))[:, None], len(CONTRASTS), axis=1)
    sessions = table["volume_id"].str.rpartition("/")[0]
    for _, session in table.groupby(sessions, sort=False):
        for channel, contrast in enumerate(CONTRASTS):
            of_contrast = session[session["modality"] == contrast]
            if len(of_contrast):
                nearest = _nearest(of_contrast["slice_index"], session["slice_index"])
                rows[session.index, channel] = of_contrast.index[nearest]
    return rows


def _nearest(heights, wanted):
    """Return the place of the height nearest to each wanted one."""
    distance = np.abs(heights.to_numpy()[None] - wanted.to_numpy()[:, None])
    return distance.argmin(axis=1)
