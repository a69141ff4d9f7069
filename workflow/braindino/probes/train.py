"""Train the heads of a task side by side, each exactly as it would be alone."""

from dataclasses import dataclass

import numpy as np
import torch

from braindino.probes.compiled import CompiledGroup, compiled_epoch
from braindino.probes.group import Group
from braindino.probes.head import Heads, normalise
from braindino.probes.losses import CODES, cox
from braindino.probes.minibatches import epoch_steps

CACHE = 16 * 2**20  # bytes; measured: heads that a core's share of the cache holds train fastest


@dataclass(frozen=True)
class Lesson:
    """What one head learns from.

    Attributes
    ----------
    fit, validate : Tensor of int [n]
        Rows of the features to learn from, and those that pick the epoch.
    fit_targets, validate_targets : Tensor [n] or [n, 2]
        Class indices, standardised numbers, or times and events.
    seed : int
        Of its first weights, its order of samples and its dropout.
    """

    fit: torch.Tensor
    fit_targets: torch.Tensor
    validate: torch.Tensor
    validate_targets: torch.Tensor
    seed: int


def train_heads(features, lessons, outputs, loss, protocol):
    """Train one head a lesson (§4.3), keeping the parameters of its best epoch.

    Heads share nothing: each has its loss, its order of samples and, for Adam works element by
    element, its own steps. Those of equally long epochs train as one batched model, of as many as
    the cache holds; a head that `protocol.patience` epochs did not improve leaves it. Where there
    is a C compiler, minibatches go through compiled code, which does the same several times faster
    one head after the other.

    Parameters
    ----------
    features : Tensor [n, dim], float32
    lessons : list of Lesson
    outputs : int
        Classes, or 1.
    loss : function of braindino.probes.losses
    protocol : braindino.settings.probes.Probes

    Returns
    -------
    Heads
        In the order of `lessons`.
    """
    normed = normalise(features)
    heads = Heads(len(lessons), features.shape[1], protocol.hidden, outputs)
    epoch = compiled_epoch(*heads.shape, protocol.batch) if loss in CODES else None
    held = max(1, CACHE // (4 * heads.flat.nbytes // len(heads)))  # gradient and two moments, too
    for rows in _groups(lessons, loss, protocol, 1 if epoch else held):
        given = normed, [lessons[row] for row in rows], heads.shape, loss, protocol
        group = CompiledGroup(epoch, *given) if epoch else Group(*given)
        heads.put(rows, group.train())
    return heads


def _groups(lessons, loss, protocol, most):
    """Yield rows of heads whose epochs are equally long, at most so many."""
    sizes = np.array([len(lesson.fit) for lesson in lessons])
    steps = np.array([epoch_steps(size, loss is cox, protocol) for size in sizes])
    order = np.lexsort((sizes, steps))
    for length in np.unique(steps):
        alike = order[steps[order] == length]
        yield from (alike[n : n + most].tolist() for n in range(0, len(alike), most))
