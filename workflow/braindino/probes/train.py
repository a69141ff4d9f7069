"""Train all heads of a task and encoder together, each exactly as it would be alone."""

import torch
from torch.nn import functional as F
from tqdm import tqdm

from braindino.probes.head import Heads


def train_heads(features, targets, fit, validate, kind, outputs, protocol, generators):
    """Train one head a row of `fit` by full-batch Adam (§4.3), keeping its best step.

    Heads share nothing: a head's loss is the mean over its own samples, and Adam works element
    by element. A head stops counting when its validation loss has not improved for
    `protocol.patience` steps; the parameters of its best step are kept.

    Parameters
    ----------
    features : Tensor [n, dim]
    targets : Tensor [heads, n]
        Class indices, or standardised values.
    fit, validate : Tensor of bool [heads, n]
        The samples that a head learns from, and those that pick its step.
    kind : {'classification', 'regression'}
    outputs : int
    protocol : braindino.settings.probes.Probes
    generators : list of torch.Generator
        One a head.

    Returns
    -------
    Heads
        With each head's best parameters.
    """
    heads = Heads(len(fit), features.shape[1], protocol.hidden, outputs, generators)
    adam = torch.optim.Adam(
        heads.parameters(), protocol.learning_rate, weight_decay=protocol.weight_decay, foreach=True
    )
    best = torch.full((len(fit),), float("inf"))
    best_step = torch.zeros(len(fit), dtype=torch.long)
    kept = [parameter.detach().clone() for parameter in heads.parameters()]
    fit_weights, validate_weights = _mean_weights(fit), _mean_weights(validate)
    for step in tqdm(range(protocol.steps + 1), disable=None, unit="step"):
        losses = sample_losses(heads(features), targets, kind)
        with torch.no_grad():
            score = (losses * validate_weights).sum(1)
            better = (score < best) & (step - best_step <= protocol.patience)
            best, best_step = torch.where(better, score, best), best_step.where(~better, step)
            for keep, parameter in zip(kept, heads.parameters(), strict=True):
                keep[better] = parameter[better]
        if (step - best_step > protocol.patience).all() or step == protocol.steps:
            break
        adam.zero_grad()
        (losses * fit_weights).sum().backward()
        adam.step()
    with torch.no_grad():
        for keep, parameter in zip(kept, heads.parameters(), strict=True):
            parameter.copy_(keep)
    return heads


def sample_losses(outputs, targets, kind):
    """Return each head's loss on each sample, [heads, n]: cross-entropy (eq. 4) or squared error.

    Parameters
    ----------
    outputs : Tensor [heads, n, outputs]
    targets : Tensor [heads, n]
    """
    if kind == "regression":
        return (outputs[..., 0] - targets) ** 2
    return F.cross_entropy(outputs.transpose(1, 2), targets, reduction="none")


def _mean_weights(mask):
    return mask.float() / mask.sum(1, keepdim=True)
