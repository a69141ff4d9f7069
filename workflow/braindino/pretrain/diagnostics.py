"""Signs of life and of collapse, as pure functions of one batch, and the memory that it took."""

import resource
import sys

import torch
from torch.nn import functional


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


def prototype_usage(targets):
    """Return the share of prototypes that are the first choice of some target.

    Parameters
    ----------
    targets : Tensor [samples, prototypes]
        Teacher distributions of a batch; the most is min(samples, prototypes) / prototypes.
    """
    return targets.argmax(dim=-1).unique().numel() / targets.shape[-1]


def nearest_distance(features):
    """Return the mean distance of features to their nearest neighbour, which KoLeo enlarges.

    Parameters
    ----------
    features : Tensor [samples ≥ 2, dim]
        Put on the unit sphere here; zero means that all are alike, two that they are opposite.
    """
    points = functional.normalize(features.float(), dim=-1)
    return torch.cdist(points, points).fill_diagonal_(torch.inf).amin(dim=1).mean()


def peak_memory(device):
    """Return the most memory (MiB) used so far: the GPU's, or this process's where there is none.

    Parameters
    ----------
    device : torch.device
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def describe(outputs, seen, targets, prototypes, recipe):
    """Describe a batch: entropies (nats), prototype usage, RankMe, nearest-neighbour distance.

    Parameters
    ----------
    outputs : braindino.pretrain.model.Student
    seen : braindino.pretrain.model.Teacher
    targets : braindino.pretrain.losses.centring.Targets
        The teacher's, of its class tokens.
    prototypes : Tensor [prototypes, dim]
        The student's, of class tokens.
    recipe : braindino.settings.pretrain.Recipe

    Returns
    -------
    dict of float
    """
    first, _ = outputs.tokens.chunk(2)
    given = targets[: len(targets)]
    scores = (outputs.global_heads @ prototypes.T).float()
    student = (scores / recipe.objective.student_temperature).softmax(dim=-1)
    return {
        "teacher_entropy": mean_entropy(given).item(),
        "student_entropy": mean_entropy(student).item(),
        "prototype_usage": prototype_usage(given),
        "rankme": effective_rank(seen.tokens).item(),
        "koleo_distance": nearest_distance(first).item(),
    }
