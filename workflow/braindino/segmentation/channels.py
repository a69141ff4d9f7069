"""Four contrasts into an encoder of one or three channels (paper §4.3.1)."""

from functools import partial

import torch
from torch import nn


def fusion(contrasts, channels):
    """Return a bias-free 1 x 1 convolution that starts as the mean of all contrasts."""
    mixed = nn.Conv2d(contrasts, channels, 1, bias=False)
    nn.init.constant_(mixed.weight, 1 / contrasts)
    return mixed


def adapt(network, way, contrasts, names):
    """Let a network see all contrasts.

    Parameters
    ----------
    network : torch.nn.Module
        With its weights; its first convolution is changed in place.
    way : {"fuse", "repeat", "replace", "tokenizers"}
        See `braindino.settings.encoders.Segmentation`.
    contrasts : int
    names : list of str
        By which the network is told contrasts, where it is; those of the channels in turn.

    Returns
    -------
    encode : function
        Runs the network on Tensor [batch, channels, *sides].
    new : list of torch.nn.Parameter
        Parameters that hold nothing learnt.
    """
    new = []
    if way in ("repeat", "replace"):
        first = next(m for m in network.modules() if isinstance(m, nn.Conv3d | nn.Conv2d))
        new = _widen(first, contrasts, way)
    if way == "tokenizers":
        return partial(_all_contrasts, network, names), new
    return partial(_one_contrast, network, names), new


def _widen(first, contrasts, way):
    """Repeat the first kernel for each contrast, so that equal contrasts give what one gave."""
    kernel = first.weight.detach()
    repeats = [1, contrasts // first.in_channels, *[1] * (kernel.ndim - 2)]
    first.weight = nn.Parameter(kernel.repeat(repeats) * first.in_channels / contrasts)
    first.in_channels = contrasts
    if way == "repeat":
        return []
    first.reset_parameters()
    return list(first.parameters())


def _one_contrast(network, names, images):
    """Run the network; one that is told contrasts takes all for its first."""
    return network(images, [names[0]] * len(images)) if names else network(images)


def _all_contrasts(network, names, volumes):
    """Show BM-MAE the tokens of all contrasts, without a class token, as its own code does."""
    channels = volumes.split(1, dim=1)
    tokens = [network.tokenizers[n](v) for n, v in zip(names, channels, strict=True)]
    return network.norm(network.blocks(torch.cat(tokens, dim=1)))
