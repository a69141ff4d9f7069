"""Centring of the teacher: one number a prototype, added to its sharpened scores.

A target is the softmax of a row of scores / temperature + shift, whichever method found the shift,
so that no matrix of targets need exist.
"""

import torch

from braindino.pretrain.distributed import gather, total


@torch.no_grad()
def sinkhorn_shift(logits, temperature, iterations):
    """Return the shift by which targets use all prototypes alike (Caron et al. 2020, SwAV).

    Sinkhorn-Knopp scales first the prototypes to equal mass over the samples of all ranks, then
    each sample to a distribution over prototypes. The last scaling of the samples is the softmax's.
    It works on logarithms, since sharpened scores overflow otherwise.

    Parameters
    ----------
    logits : Logits
        This rank's samples × prototypes.
    temperature : float
        Teacher temperature.
    iterations : int
        Pairs of scalings.

    Returns
    -------
    Tensor float32 [prototypes]
    """
    shift = torch.zeros(len(logits.prototypes), device=logits.tokens.device)
    for iteration in range(iterations):
        mass = torch.full_like(shift, -torch.inf)
        for rows in logits.blocks():
            log_q = logits[rows].div_(temperature).add_(shift)
            if iteration:
                log_q.sub_(log_q.logsumexp(dim=1, keepdim=True))
            mass = torch.logaddexp(mass, log_q.logsumexp(dim=0))
        mass = gather(mass).logsumexp(dim=0)
        shift = shift - mass.where(mass.isfinite(), 0.0)  # no rank may have a sample
    return shift


@torch.no_grad()
def update_centre(centre, logits, momentum):
    """Move DINO's centre towards the mean scores over all ranks (Caron et al. 2021), in place.

    Parameters
    ----------
    centre : Tensor float32 [prototypes]
    logits : Logits
    momentum : float
    """
    tokens = logits.tokens.float()
    sums = total(torch.cat([tokens.sum(dim=0), tokens.new_tensor([len(tokens)])]))
    if sums[-1]:
        centre.lerp_(logits.prototypes.float() @ (sums[:-1] / sums[-1]), 1 - momentum)


class Targets:
    """The teacher's distributions over prototypes, made some rows at a time.

    Parameters
    ----------
    logits : Logits
        Teacher scores.
    temperature : float
        Teacher temperature.
    shift : Tensor [prototypes]
    """

    def __init__(self, logits, temperature, shift):
        self.logits, self.temperature, self.shift = logits, temperature, shift

    def __len__(self):
        return len(self.logits)

    def __getitem__(self, rows):
        """Return distributions [rows, prototypes], float32."""
        return self.logits[rows].div_(self.temperature).add_(self.shift).softmax(dim=1)
