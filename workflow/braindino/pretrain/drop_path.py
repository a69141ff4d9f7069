"""Stochastic depth that saves the work it drops (Oquab et al. 2023, DINOv2)."""

from functools import partial

import torch
from torch.func import functional_call


def run_block(block, tokens, places, rate):
    """Run a transformer block, each of its two residual branches on a part of the batch.

    Parameters
    ----------
    block : timm.models.eva.EvaBlock or timm.models.vision_transformer.Block
    tokens : Tensor [batch, tokens, dim]
    places : dict
        What the block's attention takes besides: `rope`, or nothing.
    rate : float
        Share of the batch that skips a branch; the others' is scaled up to make up for it. The
        part is drawn from torch's CPU generator.
    """
    kept = _kept(tokens, rate)
    for branch in _branches(block, places, len(tokens) / kept):
        tokens = _residual(tokens, branch, kept)
    return tokens


def run_last_block(block, tokens, places, rate, wanted):
    """Run a block of which few tokens are read: the MLP sees no others.

    Parameters
    ----------
    wanted : (Tensor, Tensor) of int [n]
        Image and place of each token that is read.

    Returns
    -------
    Tensor [n, dim]
    """
    kept = _kept(tokens, rate)
    attend, think = _branches(block, places, len(tokens) / kept)
    read = _residual(tokens, attend, kept)[wanted]
    if kept == len(tokens):
        return read + think(read)
    rows = torch.isin(wanted[0], _draw(tokens, kept)).nonzero()[:, 0]
    return _add(read, think, rows)


def _kept(tokens, rate):
    return max(1, round(len(tokens) * (1 - rate)))


def _draw(tokens, kept):
    return torch.randperm(len(tokens))[:kept].to(tokens.device)


def _residual(tokens, branch, kept):
    if kept == len(tokens):
        return tokens + branch(tokens)
    return _add(tokens, branch, _draw(tokens, kept))


def _add(tokens, branch, rows):
    added = branch(tokens.index_select(0, rows))
    return tokens.index_add(0, rows, added.to(tokens.dtype))


def _branches(block, places, scale):
    """Return attention and MLP of a block, each with its norm, its layer scale and another one."""
    if hasattr(block, "gamma_1"):  # timm's Eva keeps layer scales as parameters
        gammas = block.gamma_1, block.gamma_2
    else:
        gammas = (getattr(module, "gamma", None) for module in (block.ls1, block.ls2))
    first, second = (scale if gamma is None else scale * gamma for gamma in gammas)
    attend = _scaled(block.attn, "proj", first)
    think = _scaled(block.mlp, "fc2", second)
    return lambda x: attend(block.norm1(x), places), lambda x: think(block.norm2(x))


def _scaled(module, last, scale):
    """Scale the weights of a module's last layer: they are fewer numbers than what it puts out."""
    layer = module.get_submodule(last)
    scale = torch.as_tensor(scale, device=layer.weight.device)
    weights = {f"{last}.weight": layer.weight * scale[..., None]}
    if layer.bias is not None:
        weights[f"{last}.bias"] = layer.bias * scale
    return partial(functional_call, module, weights)
