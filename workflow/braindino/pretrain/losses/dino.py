"""Self-distillation of class tokens (Caron et al. 2021; paper §4.2, equation 1)."""

from typing import NamedTuple

import torch

from braindino.pretrain.losses.cross_entropy import prototype_cross_entropy


class Dino(NamedTuple):
    """The loss, and the means of its two kinds of pairs, which have no gradient."""

    loss: torch.Tensor
    global_pairs: torch.Tensor
    local_pairs: torch.Tensor


def dino_loss(global_tokens, local_tokens, prototypes, targets, temperature):
    """Return the mean cross-entropy over pairs of a student's and another of the teacher's views.

    At the paper's two global and eight local views these are 2 and 16 pairs a slice. The two
    cross-entropies of a local view are that with the targets' mean, twice.

    Parameters
    ----------
    global_tokens : Tensor [2 · batch, dim]
        Student's unit vectors, view by view.
    local_tokens : Tensor [views · batch, dim]
        The same of its local views.
    prototypes : Tensor [prototypes, dim]
    targets : Targets of [2 · batch, prototypes]
        The teacher's of the global views, in their order.
    temperature : float
        Student temperature.

    Returns
    -------
    Dino
    """
    batch = len(targets) // 2
    views = len(local_tokens) // batch
    first, second = global_tokens.chunk(2)
    by_slice = local_tokens.unflatten(0, (views, batch)).transpose(0, 1).flatten(0, 1)
    # Each global view beside the other's target.
    tokens = torch.cat([second, first, by_slice])
    pairs = torch.ones(len(tokens), device=tokens.device)
    pairs[2 * batch :] = 2
    loss, each = prototype_cross_entropy(
        tokens, prototypes, _PairTargets(targets, views), pairs / pairs.sum(), temperature
    )
    whole, parts = each.split([2 * batch, views * batch])
    return Dino(loss, whole.mean(), parts.mean())


class _PairTargets:
    """The targets of global views, then the mean of a slice's for each of its local views."""

    def __init__(self, targets, views):
        self.targets, self.views = targets, views

    def __getitem__(self, rows):
        count = len(self.targets)
        if rows.start >= count:
            return self._means(rows.start - count, rows.stop - count)
        if rows.stop <= count:
            return self.targets[rows]
        return torch.cat([self.targets[rows.start : count], self._means(0, rows.stop - count)])

    def _means(self, start, stop):
        first, last = start // self.views, -(-stop // self.views)
        batch = len(self.targets) // 2
        mean = self.targets[first:last]
        mean = (mean + self.targets[first + batch : last + batch]).div_(2)
        repeated = mean.repeat_interleave(self.views, dim=0)
        return repeated[start - first * self.views :][: stop - start]
