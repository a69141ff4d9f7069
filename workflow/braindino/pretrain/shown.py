"""Slices of pretraining volumes that are shown to a person."""

import numpy as np
import torch

from braindino.pretrain.slices import Slices

# Assumed: as many as fit across a page, each large enough to tell its patches apart.
SHOWN = 8


def choose_shown(volumes, most=SHOWN):
    """Choose volumes evenly over the contrasts, and within each over the cohorts.

    Parameters
    ----------
    volumes : DataFrame
        As `held_out.list_volumes` returns it.
    most : int

    Returns
    -------
    DataFrame
        Rows of `volumes`, by contrast.
    """
    turn = volumes.groupby("modality")["volume_id"].rank(method="first")
    chosen = volumes.assign(turn=turn).sort_values(["turn", "modality"]).head(most)
    return chosen.sort_values(["modality", "turn"]).drop(columns="turn")


def middle_slices(volumes):
    """Return the middle one of each volume's slices: Tensor float32 [n, height, width]."""
    rows = (volumes["first"] + volumes["count"] // 2).astype(int)
    pictures = [
        Slices([shard])[row].astype(np.float32)
        for shard, row in zip(volumes["shard"], rows, strict=True)
    ]
    return torch.from_numpy(np.stack(pictures))
