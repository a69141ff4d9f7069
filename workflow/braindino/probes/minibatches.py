"""The order in which heads see their samples."""

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence


def epoch_steps(size, whole, protocol):
    """Return the steps of an epoch on `size` samples."""
    return max(1 if whole else -(-size // protocol.batch), protocol.epoch_steps)


def epoch_batches(sizes, generators, whole, protocol):
    """Draw an epoch of several heads whose epochs are equally long.

    Each head goes through its samples in random order, each sample as often as any other, and
    again and again until the epoch has its least number of steps.

    Parameters
    ----------
    sizes : list of int
        Samples of each head.
    generators : list of numpy.random.Generator
        One a head.
    whole : bool
        Whether a step takes all samples at once.
    protocol : braindino.settings.probes.Probes

    Returns
    -------
    Tensor of int [steps, heads, batch]
        Samples, by their place; -1 fills up a batch that is smaller than others.
    """
    if whole:
        one = pad_sequence([torch.arange(s) for s in sizes], batch_first=True, padding_value=-1)
        return one.expand(protocol.epoch_steps, -1, -1)
    drawn = [_draw(size, rng, protocol) for size, rng in zip(sizes, generators, strict=True)]
    return torch.from_numpy(np.stack(drawn, axis=1))


def _draw(size, rng, protocol):
    steps, batch = epoch_steps(size, False, protocol), protocol.batch
    wanted = max(size, protocol.epoch_steps * batch)
    rounds = [rng.permutation(size) for _ in range(-(-wanted // size))]
    drawn = np.full(steps * batch, -1)
    drawn[:wanted] = np.concatenate(rounds)[:wanted]
    return drawn.reshape(steps, batch)
