"""Kozachenko-Leonenko regulariser: spread features out (Sablayrolles et al. 2019)."""

import torch
from torch.nn import functional

EPS = 1e-8


def koleo_loss(features):
    """Return the negative mean log distance from each feature to its nearest neighbour.

    Parameters
    ----------
    features : Tensor [batch ≥ 2, dim]
        Class tokens of one crop of each image; put on the unit sphere here.

    Returns
    -------
    Tensor, scalar
    """
    points = functional.normalize(features.float(), dim=-1)
    with torch.no_grad():
        similarity = points @ points.T
        nearest = similarity.fill_diagonal_(-torch.inf).argmax(dim=1)
    distance = functional.pairwise_distance(points, points[nearest], eps=EPS)
    return -(distance + EPS).log().mean()
