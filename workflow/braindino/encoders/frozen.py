"""Frozen: eval mode for good, no gradient, and not one byte of the network's state changed."""

from zlib import crc32

import torch


def freeze(network):
    """Put a network in eval mode, from which `train()` no longer takes it, without gradients."""
    network.eval().requires_grad_(False)
    network.train = lambda mode=True: network
    return network


def fingerprint(network):
    """Sum up parameters and buffers; running averages of BatchNorm are buffers, for example."""
    digest = 0
    for key, value in network.state_dict().items():
        raw = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
        digest = crc32(raw, crc32(key.encode(), digest))
    return digest


def assert_frozen(network, state):
    """Raise AssertionError unless a network is as `freeze` left it.

    Parameters
    ----------
    network : torch.nn.Module
    state : int
        Its `fingerprint` then.
    """
    training = [name for name, module in network.named_modules() if module.training]
    assert not training, f"not in eval mode: {', '.join(training) or 'the network'}"
    learning = [name for name, value in network.named_parameters() if value.requires_grad]
    assert not learning, f"with a gradient: {', '.join(learning)}"
    assert fingerprint(network) == state, "a forward pass changed the encoder's state"
