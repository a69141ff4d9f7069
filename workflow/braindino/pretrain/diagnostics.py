"""Signs of life and of collapse."""

import torch


def mean_entropy(probabilities):
    """Return the mean entropy (nats) of distributions [..., classes].

    Zero or log(classes) for all of them means collapse.
    """
    return torch.special.entr(probabilities).sum(dim=-1).mean()


def effective_rank(features):
    """Return RankMe (Garrido et al. 2023): exp of the entropy of normalised singular values.

    Parameters
    ----------
    features : Tensor [samples, dim]
        One means that all features lie on one line; the most is min(samples, dim).
    """
    values = torch.linalg.svdvals(features.float())
    return mean_entropy(values / values.sum()).exp()
