"""Self-distillation of class tokens (Caron et al. 2021; paper §4.2, equation 1)."""

import torch

from braindino.pretrain.losses.cross_entropy import prototype_cross_entropy


def dino_global_loss(tokens, prototypes, targets, temperature):
    """Return the mean cross-entropy of each global view with the other's target.

    Parameters
    ----------
    tokens : Tensor [2 · batch, dim]
        Student's unit vectors, view by view.
    prototypes : Tensor [prototypes, dim]
    targets : Targets of [2 · batch, prototypes]
        The teacher's, in the same order.
    temperature : float
        Student temperature.

    Returns
    -------
    Tensor, scalar
    """
    first, second = tokens.chunk(2)
    swapped = torch.cat([second, first])  # row by row beside the targets as they are
    weights = torch.full((len(tokens),), 1 / len(tokens), device=tokens.device)
    return prototype_cross_entropy(swapped, prototypes, targets, weights, temperature)


def dino_local_loss(tokens, prototypes, targets, temperature):
    """Return the mean cross-entropy of every local view with both global views' targets.

    The two cross-entropies of a view are that with the targets' mean, twice.

    Parameters
    ----------
    tokens : Tensor [views · batch, dim]
        Student's unit vectors, view by view.
    prototypes : Tensor [prototypes, dim]
    targets : Targets of [2 · batch, prototypes]
    temperature : float
        Student temperature.

    Returns
    -------
    Tensor, scalar
    """
    batch = len(targets) // 2
    views = len(tokens) // batch
    by_slice = tokens.unflatten(0, (views, batch)).transpose(0, 1).flatten(0, 1)
    weights = torch.full((len(tokens),), 1 / len(tokens), device=tokens.device)
    mean = _MeanOfViews(targets, batch, views)
    return prototype_cross_entropy(by_slice, prototypes, mean, weights, temperature)


class _MeanOfViews:
    """The mean of both global views' targets, once for each of a slice's local views."""

    def __init__(self, targets, batch, views):
        self.targets, self.batch, self.views = targets, batch, views

    def __getitem__(self, rows):
        first, last = rows.start // self.views, -(-rows.stop // self.views)
        mean = self.targets[first:last]
        mean = mean.add_(self.targets[first + self.batch : last + self.batch]).div_(2)
        start = rows.start - first * self.views
        repeated = mean.repeat_interleave(self.views, dim=0)
        return repeated[start : start + rows.stop - rows.start]
