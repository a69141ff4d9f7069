"""The task head of §4.3, many of them trained side by side as one batched model."""

import torch
from torch import nn


class Heads(nn.Module):
    """`count` independent heads LayerNorm → Linear + GELU → Linear, with stacked parameters.

    Parameters
    ----------
    count : int
        Heads, e.g. one a label ratio and seed.
    dim : int
        Features in.
    hidden : int
        Hidden units.
    outputs : int
        Classes, or 1 for regression.
    generators : list of torch.Generator
        One a head, so that each starts as it would alone.
    """

    def __init__(self, count, dim, hidden, outputs, generators):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(count, 1, dim))
        self.shift = nn.Parameter(torch.zeros(count, 1, dim))
        self.weight1 = nn.Parameter(_uniform((dim, hidden), dim, generators))
        self.bias1 = nn.Parameter(_uniform((1, hidden), dim, generators))
        self.weight2 = nn.Parameter(_uniform((hidden, outputs), hidden, generators))
        self.bias2 = nn.Parameter(_uniform((1, outputs), hidden, generators))

    def forward(self, features):
        """Apply every head to every sample: [n, dim] → [count, n, outputs]."""
        normed = nn.functional.layer_norm(features, features.shape[-1:])
        hidden = torch.baddbmm(self.bias1, normed * self.scale + self.shift, self.weight1)
        return torch.baddbmm(self.bias2, nn.functional.gelu(hidden), self.weight2)


def _uniform(shape, fan_in, generators):
    """Initialise as torch.nn.Linear does: U(±1/√fan_in)."""
    draws = [torch.rand(shape, generator=generator) for generator in generators]
    return (2 * torch.stack(draws) - 1) / fan_in**0.5
