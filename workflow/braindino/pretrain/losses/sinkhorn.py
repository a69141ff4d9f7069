"""Sinkhorn-Knopp centring of the teacher (Caron et al. 2020, SwAV)."""

import torch


@torch.no_grad()
def sinkhorn(logits, temperature, iterations):
    """Turn teacher logits into targets that use all prototypes alike.

    Each iteration scales first the prototypes to equal mass over the samples, then each sample to
    a distribution over prototypes. It works on logarithms: sharpened logits overflow otherwise.

    Parameters
    ----------
    logits : Tensor [samples, prototypes]
        Teacher scores.
    temperature : float
        Teacher temperature.
    iterations : int
        Pairs of scalings.

    Returns
    -------
    Tensor float32 [samples, prototypes]
        Rows sum to one; columns approach samples / prototypes.
    """
    log_q = logits.float() / temperature
    for _ in range(iterations):
        log_q = log_q - log_q.logsumexp(dim=0, keepdim=True)
        log_q = log_q - log_q.logsumexp(dim=1, keepdim=True)
    return log_q.exp()
