"""An online probe: whether nearest neighbours on held-out subjects share contrast and cohort."""

import math

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from braindino.pretrain.slices import Slices

# Assumed: the temperature by which DINO's own kNN evaluation weighs neighbours (Caron et al. 2021).
TEMPERATURE = 0.07
BATCH = 64  # slices a forward pass
LABELS = ("modality", "dataset")


class KnnProbe:
    """Some slices of held-out volumes and of a bank of others, and what they are of.

    A volume is once the mean of its slices' class tokens, as in the frozen evaluation (§4.3), and
    once the mean and the spread of their patch tokens (statistics pooling, Snyder et al. 2018),
    standardised over all volumes: a contrast is how tissues differ, whatever part of the brain it
    is, which class tokens tell apart first.

    Parameters
    ----------
    volumes, bank : DataFrame
        Volumes that are asked, and others among which they look for neighbours too; as
        `held_out.list_volumes` lists them.
    slices : int
        Slices of a volume, spread evenly over those that its shard holds.
    size : int
        Pixels of a slice, square.
    neighbours : int
        Neighbours that vote.
    channels : {"slice", "neighbours", "contrasts"}
        As `channels.channel_rows` takes it; a lone contrast stands for all.
    """

    def __init__(self, volumes, bank, slices, size, neighbours, channels="slice"):
        self.neighbours, self.asked = neighbours, len(volumes)
        volumes = pd.concat([volumes, bank], ignore_index=True)
        self.subjects = _codes(volumes["dataset"] + "/" + volumes["subject"])
        self.labels = {name: _codes(volumes[name]) for name in LABELS}
        offsets = [-1, 0, 1] if channels == "neighbours" else [0]
        self.images = torch.stack(
            [_read(volume, slices, size, offsets) for volume in volumes.itertuples()]
        )

    @torch.no_grad()
    def __call__(self, backbone):
        """Return the accuracies of a backbone.

        Returns
        -------
        dict
            `knn_<label>` by class tokens, `knn_<label>_patches` by patch tokens, and chance as
            `knn_<label>_chance`. A label that no two subjects share is left out.
        """
        classes, patches = self._embed(backbone)
        found = {}
        for name, labels in self.labels.items():
            rest = labels, self.subjects, self.neighbours, self.asked
            accuracy, chance = knn_accuracy(classes, *rest)
            if not math.isnan(accuracy):
                found |= {f"knn_{name}": accuracy, f"knn_{name}_chance": chance}
                found[f"knn_{name}_patches"] = knn_accuracy(patches, *rest)[0]
        return found

    def _embed(self, backbone):
        """Return class tokens [volumes, dim], and statistics of patches [volumes, 2 · dim]."""
        parameter = next(backbone.parameters())
        made = []
        with torch.autocast(parameter.device.type, torch.bfloat16):
            for images in self.images.flatten(0, 1).split(BATCH):
                token, patches = backbone(images.float().to(parameter.device))
                spread, mean = torch.std_mean(patches.float(), dim=1)
                made.append(torch.cat([token.float(), mean, spread], dim=1))
        volumes = torch.cat(made).unflatten(0, self.images.shape[:2]).mean(dim=1).cpu()
        classes, patches = volumes.tensor_split([volumes.shape[1] // 3], dim=1)
        spread, mean = torch.std_mean(patches, dim=0)
        return classes, (patches - mean) / spread.clamp_min(torch.finfo(spread.dtype).tiny)


def knn_accuracy(features, labels, subjects, neighbours, asked=None):
    """Classify volumes by their nearest neighbours among all other subjects' volumes.

    Volumes whose label no other subject has cannot be answered and are not asked.

    Parameters
    ----------
    features : Tensor [volumes, dim]
        Compared by their cosine.
    labels, subjects : ndarray of int [volumes]
    neighbours : int
        Votes, weighed by exp(cosine / 0.07).
    asked : int, optional
        How many, from the first, are classified; all by default.

    Returns
    -------
    accuracy, chance : float
        Share of the volumes asked that were answered rightly, and the share of the commonest
        label among them; NaN where none can be asked.
    """
    own, labelled = subjects[:asked], labels[:asked]
    other = own[:, None] != subjects
    answerable = (other & (labelled[:, None] == labels)).any(axis=1)
    if not answerable.any():
        return float("nan"), float("nan")
    points = functional.normalize(features.float(), dim=-1)
    cosines = (points[:asked] @ points.T).masked_fill(~torch.from_numpy(other), -torch.inf)
    nearest, places = cosines.topk(min(neighbours, len(labels)), dim=1)
    ballots = functional.one_hot(torch.from_numpy(labels)[places])
    votes = ((nearest / TEMPERATURE).exp()[..., None] * ballots).sum(dim=1)
    right = (votes.argmax(dim=1).numpy() == labelled)[answerable]
    return float(right.mean()), float(np.bincount(labelled[answerable]).max() / len(right))


def _read(volume, count, size, offsets):
    """Read slices of a volume, and those at the offsets: float16 [count, offsets, size, size]."""
    places = np.linspace(0, volume.count - 1, count + 2).round().astype(int)[1:-1, None] + offsets
    rows = volume.first + places.clip(0, volume.count - 1)
    shard = Slices([volume.shard])
    images = np.stack([shard[int(row)] for row in rows.flat]).astype(np.float32)
    images = torch.from_numpy(images).unflatten(0, rows.shape)
    resized = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)
    return resized.half()


def _codes(values):
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
