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
    Each sum is a product of the exponentials of the scores with a vector, rounded as the scores
    are. The exponentials are scaled so that sharpened scores do not overflow; what is e^145 times
    less likely than the likeliest counts as if it were not less likely still.

    Parameters
    ----------
    parts : list of Logits
        This rank's samples × prototypes, in parts; shifted in place.
    iterations : int
        Pairs of scalings.
    """
    highest = gather(torch.stack([logits.highest() for logits in parts]).max()).max()
    matrices = [logits.exponentials(highest) for logits in parts]
    scale = torch.zeros_like(parts[0].shift)  # of the prototypes
    # Prototypes have a mass of 1 each; samples share that, or the scales would drift.
    share = len(scale) / total(scale.new_tensor(sum(map(len, parts)))).clamp_min(1)
    for iteration in range(iterations):
        mass = torch.zeros_like(scale)
        for matrix in (matrix for part in matrices for matrix in part()):
            sums = _product(matrix, scale) if iteration else torch.ones_like(matrix[:, 0])
            mass += _product(matrix.T, share / sums.clamp_min(TINY))
        mass = total(mass)
        scale = torch.where(mass > 0, 1 / mass, 1.0)  # no rank may have a sample
    for logits in parts:
        logits.add(scale.log())


def _product(matrix, vector):
    """Multiply in the matrix's type, as a matrix product: [rows, columns] · [columns]."""
    return (matrix @ vector.to(matrix.dtype)[:, None])[:, 0].float()


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
        with torch.autocast(tokens.device.type, enabled=False):
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
