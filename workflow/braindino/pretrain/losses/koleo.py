"""Kozachenko-Leonenko regulariser: spread features out (Sablayrolles et al. 2019)."""

import torch
from torch.nn import functional

from braindino.pretrain.distributed import gather_own, world_size

EPS = 1e-8


def koleo_loss(features, group):
    """Return the negative mean log distance from each feature to its nearest neighbour.

    Parameters
    ----------
    features : Tensor [batch, dim]
        This rank's class tokens of one crop of each image; put on the unit sphere here.
    group : int
        Images among which a neighbour is looked for: the batch of all ranks, in their order, is
        cut into groups of at least so many.

    Returns
    -------
    Tensor, scalar
        The same on all ranks. Its gradient is the whole batch's with respect to this rank's
        features, times the number of ranks, by which averaging gradients over ranks divides.
    """
    points = functional.normalize(gather_own(features).float(), dim=-1)
    groups = points.tensor_split(max(1, len(points) // group))
    loss = sum(map(_spread, groups)) / len(points)
    return loss + (world_size() - 1) * (loss - loss.detach())


def _spread(points):
    """Return the summed negative log distances within a group of at least two."""
    with torch.no_grad():
        similarity = points @ points.T
        nearest = similarity.fill_diagonal_(-torch.inf).argmax(dim=1)
    distance = functional.pairwise_distance(points, points[nearest], eps=EPS)
    return -(distance + EPS).log().sum()
