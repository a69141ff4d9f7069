"""Centring of the teacher: one number a prototype, added to its sharpened scores.

A target is the softmax of a row of centred scores, whichever method found those numbers, so that no
matrix of targets need exist.
"""

import torch

from braindino.pretrain.distributed import gather, total

TINY = torch.finfo(torch.float32).tiny


@torch.no_grad()
def sinkhorn(parts, iterations):
    """Shift scores so that targets use all prototypes alike (Caron et al. 2020, SwAV).

    Sinkhorn-Knopp scales first the prototypes to equal mass over the samples of all ranks, then
    each sample to a distribution over prototypes. The last scaling of the samples is the softmax's.
    It works on logarithms, since exponentials of sharpened scores overflow.

    Parameters
    ----------
    parts : list of Logits
        This rank's samples × prototypes, in parts; shifted in place.
    iterations : int
        Pairs of scalings.
    """
    blocks = [(logits, rows) for logits in parts for rows in logits.blocks()]
    for iteration in range(iterations):
        mass = _scaled_log_mass(blocks, parts) if iteration else _log_mass(blocks, parts)
        mass = gather(mass).logsumexp(dim=0)
        for logits in parts:
            logits.add(-mass.where(mass.isfinite(), 0.0))  # no rank may have a sample


def _log_mass(blocks, parts):
    """Return the logarithm of all samples' mass on each prototype, as they are."""
    mass = torch.full_like(parts[0].shift, -torch.inf)
    for logits, rows in blocks:
        mass = torch.logaddexp(mass, logits[rows].logsumexp(dim=0))
    return mass


def _scaled_log_mass(blocks, parts):
    """Return the same of samples scaled to a distribution over prototypes each."""
    mass = torch.zeros_like(parts[0].shift)
    for logits, rows in blocks:
        mass += logits[rows].softmax(dim=1).sum(dim=0)
    return mass.clamp_min(TINY if blocks else 0).log()


@torch.no_grad()
def update_centre(centre, tokens, prototypes, momentum):
    """Move DINO's centre towards the mean scores over all ranks (Caron et al. 2021), in place.

    Parameters
    ----------
    centre : Tensor float32 [prototypes]
    tokens : Tensor [n, dim]
        The teacher's unit vectors on this rank.
    prototypes : Tensor [prototypes, dim]
    momentum : float
    """
    tokens = tokens.float()
    sums = total(torch.cat([tokens.sum(dim=0), tokens.new_tensor([len(tokens)])]))
    if sums[-1]:
        centre.lerp_(prototypes.float() @ (sums[:-1] / sums[-1]), 1 - momentum)


class Targets:
    """The teacher's distributions over prototypes, made some rows at a time.

    Parameters
    ----------
    logits : Logits
        Teacher scores by its temperature, centred.
    """

    def __init__(self, logits):
        self.logits = logits

    def __len__(self):
        return len(self.logits)

    def __getitem__(self, rows):
        """Return distributions [rows, prototypes], float32."""
        return self.logits[rows].softmax(dim=1)
