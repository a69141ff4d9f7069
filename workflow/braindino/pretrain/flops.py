"""FLOPs of a training step, by counting its matrix products.

A multiplication with its addition is two FLOPs. Element-wise work (norms, softmax, Sinkhorn-Knopp,
optimiser) is left out: it is less than a hundredth of the products. So is what stochastic depth
saves, at most its rate's share of the student's blocks.
"""

from typing import NamedTuple

import torch
from torch import nn

from braindino.pretrain.model import Network


class Shape(NamedTuple):
    """All of a network that its cost depends on.

    Attributes
    ----------
    patch : int
        Weights of the patch embedding's product, over the channels that the images have.
    pixels : (int, int)
        Pixels of a patch, down and across.
    prefix : int
        Class and storage tokens.
    depth, dim : int
        Blocks, and length of a token.
    blocks, mlp, head : int
        Weights through which a token goes: in all blocks, in the last one's MLP and in one head.
    parameters : int
        Of the backbone and both heads.
    """

    patch: int
    pixels: tuple[int, int]
    prefix: int
    depth: int
    dim: int
    blocks: int
    mlp: int
    head: int
    parameters: int


def shape_of(settings, channels=1):
    """Measure the network of `settings` (a recipe's model) without memory for its weights."""
    with torch.device("meta"):
        network = Network(settings)
    backbone, down, across = network.backbone, *network.backbone.patch_size
    return Shape(
        patch=channels * down * across * backbone.dim,
        pixels=(down, across),
        prefix=backbone.vit.num_prefix_tokens,
        depth=backbone.depth,
        dim=backbone.dim,
        blocks=_weights(backbone.vit.blocks),
        mlp=_weights(backbone.vit.blocks[-1].mlp),
        head=_weights(network.dino_head),
        parameters=sum(p.numel() for p in network.parameters()),
    )


def count_patches(shape, size):
    """Return the number of patches of a square image of `size` pixels."""
    return (size // shape.pixels[0]) * (size // shape.pixels[1])


def embed_flops(shape, size):
    """Return the FLOPs of embedding the patches of one image."""
    return 2 * shape.patch * count_patches(shape, size)


def block_flops(shape, size, read):
    """Return the FLOPs of one image in all blocks: linear layers, then attention's two products.

    The last block's MLP sees the `read` tokens alone.
    """
    tokens = shape.prefix + count_patches(shape, size)
    linear = shape.blocks * tokens - shape.mlp * (tokens - read)
    return 2 * linear + 4 * shape.depth * shape.dim * tokens**2


def head_flops(shape, tokens):
    """Return the FLOPs of `tokens` in one head."""
    return 2 * shape.head * tokens


def slice_flops(shape, views, objective):
    """Count the FLOPs of one step, a slice.

    A backward pass costs two forward passes: the gradients of inputs and of weights. Images need
    none, so the patch embedding's costs one.

    Parameters
    ----------
    shape : Shape
    views : settings.pretrain.Views
        Numbers and sizes of the crops; over several pairs of sizes the mean is taken.
    objective : settings.pretrain.Objective
        How many patches are masked.

    Returns
    -------
    dict
        student (forward and backward), teacher (forward, on global crops) and heads (of both).
    """
    pairs = zip(views.global_sizes, views.local_sizes, views.size_ratios, strict=True)
    parts = [
        {name: ratio * count for name, count in _of_pair(shape, views, objective, *sizes).items()}
        for *sizes, ratio in pairs
    ]
    return {name: sum(part[name] for part in parts) for name in parts[0]}


def expected_masked(shape, views, objective, size):
    """Return the mean number of masked patches of a slice's global crops of `size` pixels."""
    share = objective.mask_probability * sum(objective.mask_ratio) / 2
    return views.global_crops * share * count_patches(shape, size)


def _of_pair(shape, views, objective, global_size, local_size):
    masked = expected_masked(shape, views, objective, global_size)
    read = 1 + masked / views.global_crops  # tokens of a global crop
    crops = [(views.global_crops, global_size, read), (views.local_crops, local_size, 1)]
    student = sum(
        count * (2 * embed_flops(shape, size) + 3 * block_flops(shape, size, tokens))
        for count, size, tokens in crops
    )
    whole = embed_flops(shape, global_size) + block_flops(shape, global_size, read)
    seen = views.global_crops + views.local_crops + masked
    given = views.global_crops + masked
    return {
        "student": student,
        "teacher": views.global_crops * whole,
        "heads": 3 * head_flops(shape, seen) + head_flops(shape, given),
    }


def _weights(module):
    return sum(
        part.in_features * part.out_features
        for part in module.modules()
        if isinstance(part, nn.Linear)
    )
