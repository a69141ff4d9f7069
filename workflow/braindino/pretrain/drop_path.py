"""Stochastic depth that saves the work it drops (Oquab et al. 2023, DINOv2)."""

import torch


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
    if rate == 0:
        return block(tokens, **places)
    for branch in _branches(block, places):
        tokens = _residual(tokens, branch, rate)
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
    attend, think = _branches(block, places)
    read = _residual(tokens, attend, rate)[wanted]
    if rate == 0:
        return read + think(read)
    chosen, scale = _choose(len(tokens), rate)
    rows = torch.isin(wanted[0], chosen.to(read.device)).nonzero()[:, 0]
    return _add(read, think, rows, scale)


def _residual(tokens, branch, rate):
    if rate == 0:
        return tokens + branch(tokens)
    chosen, scale = _choose(len(tokens), rate)
    return _add(tokens, branch, chosen.to(tokens.device), scale)


def _choose(batch, rate):
    kept = max(1, round(batch * (1 - rate)))
    return torch.randperm(batch)[:kept], batch / kept


def _add(tokens, branch, rows, scale):
    added = branch(tokens.index_select(0, rows)).to(tokens.dtype)
    return tokens.index_add(0, rows, added, alpha=scale)


def _branches(block, places):
    """Return attention and MLP of a block, each with its norm and layer scale."""
    if hasattr(block, "gamma_1"):  # timm's Eva keeps layer scales as parameters
        scales = [_scale_by(block.gamma_1), _scale_by(block.gamma_2)]
    else:
        scales = [block.ls1, block.ls2]
    return (
        lambda x: scales[0](block.attn(block.norm1(x), **places)),
        lambda x: scales[1](block.mlp(block.norm2(x))),
    )


def _scale_by(gamma):
    return (lambda x: x) if gamma is None else (lambda x: x * gamma)
