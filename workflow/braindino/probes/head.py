"""The task head of §4.3, many of them side by side as one batched model."""

import math

import torch
from torch.nn import functional as F


class Heads:
    """Independent heads LayerNorm → Linear + GELU → Linear, with stacked parameters.

    The parameters of all heads lie in one block of memory, and so do their gradients: a step of
    Adam is one call, and a step of training allocates nothing of their size. Hence the gradients
    are written out here; a test holds them against autograd's.

    Parameters
    ----------
    count : int
        Heads.
    dim : int
        Features in.
    hidden : int
        Hidden units.
    outputs : int
        Classes, or 1 for a number or a risk.

    Attributes
    ----------
    flat : torch.nn.Parameter [parameters of all heads]
        Its `grad` is what `descend` fills.
    parameters, gradients : dict of Tensor [count, …]
        Views of both by name: scale and shift of the LayerNorm, weight and bias of the two layers.
    """

    def __init__(self, count, dim, hidden, outputs):
        self.shape = dim, hidden, outputs
        shapes = {
            **{"scale": (count, 1, dim), "shift": (count, 1, dim)},
            **{"weight1": (count, dim, hidden), "bias1": (count, 1, hidden)},
            **{"weight2": (count, hidden, outputs), "bias2": (count, 1, outputs)},
        }
        self.flat = torch.nn.Parameter(torch.empty(sum(map(math.prod, shapes.values()))))
        self.flat.grad = torch.zeros_like(self.flat)
        self.parameters = _views(self.flat.detach(), shapes)
        self.gradients = _views(self.flat.grad, shapes)

    def __len__(self):
        return len(self.parameters["scale"])

    def start(self, generators):
        """Set the weights that torch's modules would start from, one generator a head."""
        dim, hidden, _ = self.shape
        fan_in = {"weight1": dim, "bias1": dim, "weight2": hidden, "bias2": hidden}
        self.parameters["scale"].fill_(1)
        self.parameters["shift"].fill_(0)
        for name, size in fan_in.items():
            for part, generator in zip(self.parameters[name], generators, strict=True):
                part.uniform_(-(size**-0.5), size**-0.5, generator=generator)
        return self

    def __call__(self, features):
        """Apply the heads to raw features.

        Parameters
        ----------
        features : Tensor [n, dim] or [count, n, dim]
            Samples for all heads, or for each.

        Returns
        -------
        Tensor [count, n, outputs]
        """
        normed = normalise(features).expand(len(self), -1, -1)
        p = self.parameters
        inputs = torch.addcmul(p["shift"], normed, p["scale"])
        hidden = F.gelu(torch.baddbmm(p["bias1"], inputs, p["weight1"]))
        return torch.baddbmm(p["bias2"], hidden, p["weight2"])

    def descend(self, normed, loss, keep=None):
        """Fill `gradients` with those of a loss on each head's own samples.

        Parameters
        ----------
        normed : Tensor [count, n, dim]
            Features after `normalise`.
        loss : function
            Of the outputs [count, n, outputs]; returns each head's loss [count].
        keep : Tensor [count, n, hidden], optional
            Dropout: 0, or 1 / (1 - share) where a hidden unit stays.
        """
        p, g = self.parameters, self.gradients
        inputs = torch.addcmul(p["shift"], normed, p["scale"])
        before = torch.baddbmm(p["bias1"], inputs, p["weight1"])
        hidden = F.gelu(before) if keep is None else F.gelu(before) * keep
        outputs = torch.baddbmm(p["bias2"], hidden, p["weight2"]).requires_grad_()
        (slope,) = torch.autograd.grad(loss(outputs).sum(), outputs)
        torch.bmm(hidden.transpose(1, 2), slope, out=g["weight2"])
        torch.sum(slope, 1, keepdim=True, out=g["bias2"])
        slope = torch.bmm(slope, p["weight2"].transpose(1, 2))
        slope = torch.ops.aten.gelu_backward(slope if keep is None else slope * keep, before)
        torch.bmm(inputs.transpose(1, 2), slope, out=g["weight1"])
        torch.sum(slope, 1, keepdim=True, out=g["bias1"])
        slope = torch.bmm(slope, p["weight1"].transpose(1, 2))
        torch.sum(slope * normed, 1, keepdim=True, out=g["scale"])
        torch.sum(slope, 1, keepdim=True, out=g["shift"])

    def take(self, rows):
        """Return some of the heads, as heads of their own."""
        taken = Heads(len(rows), *self.shape)
        for name, part in taken.parameters.items():
            part.copy_(self.parameters[name][rows])
        return taken

    def put(self, rows, heads):
        """Overwrite some of the heads with others."""
        for name, part in heads.parameters.items():
            self.parameters[name][rows] = part

    def views(self, flat):
        """Return a block of the parameters' layout, e.g. Adam's moments, by name."""
        return _views(flat, {name: part.shape for name, part in self.parameters.items()})


def normalise(features):
    """Bring each sample to mean 0 and variance 1, the part of LayerNorm that all heads share."""
    return F.layer_norm(features, features.shape[-1:])


def _views(flat, shapes):
    parts = flat.split([math.prod(shape) for shape in shapes.values()])
    return {name: part.view(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
