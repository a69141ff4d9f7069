"""Losses of the heads: each head's loss on its own samples, [heads].

All take `outputs` [heads, n, outputs], `targets` [heads, n], of survival tasks [heads, n, 2], and
`weights` [heads, n], the share of each sample in its head's mean; 0 leaves a sample out.
"""

from torch.nn import functional as F

ALPHA, DELTA = 0.2, 1.0  # of the mixed loss (§4.3.3, eq. 9)


def cross_entropy(outputs, targets, weights):
    """Cross-entropy of class indices (§4.3.2, eq. 4)."""
    losses = F.cross_entropy(outputs.transpose(1, 2), targets.long(), reduction="none")
    return (losses * weights).sum(1)


def squared_error(outputs, targets, weights):
    """Mean squared error (§4.3.3, eq. 5)."""
    return ((outputs[..., 0] - targets) ** 2 * weights).sum(1)


def log_mixed(outputs, targets, weights):
    """Squared, absolute and Huber error of a logarithm, mixed (§4.3.3, eq. 9)."""
    error = outputs[..., 0] - targets
    huber = F.huber_loss(outputs[..., 0], targets, reduction="none", delta=DELTA)
    mixed = ALPHA * error**2 + (1 - ALPHA) * (0.5 * error.abs() + 0.5 * huber)
    return (mixed * weights).sum(1)


def cox(outputs, targets, weights):
    """Negative log partial likelihood over the number of events (§4.3.4, eq. 11).

    Tied times are handled as the equation's risk set T_j ≥ T_i says, which is Breslow's method.
    `targets` holds the times and the events; a head without an event has no loss, 0.
    """
    risk, present = outputs[..., 0], weights > 0
    times, events = targets[..., 0], targets[..., 1] * present
    at_risk = (times[:, None, :] >= times[:, :, None]) & present[:, None, :]
    hazard = risk[:, None, :].masked_fill(~at_risk, float("-inf"))
    # Samples without an event may have an empty risk set, whose gradient is undefined.
    hazard = hazard.masked_fill((events == 0)[:, :, None], 0)
    terms = (risk - hazard.logsumexp(-1)) * events
    return -terms.sum(1) / events.sum(1).clamp(min=1)


LOSSES = {"classification": cross_entropy, "regression": squared_error, "survival": cox}
# Their numbers in compiled.c; the Cox loss takes all samples at once, which is torch's strength.
CODES = {cross_entropy: 0, squared_error: 1, log_mixed: 2}
