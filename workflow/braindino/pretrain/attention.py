"""Attention of timm's DINOv3 blocks by plain products, which on a CPU beat the fused kernel."""

import torch
from timm.models.eva import EvaAttention
from torch import nn
from torch.nn import functional

from braindino.pretrain.precision import product_dtype


class PlainAttention(EvaAttention):
    """The same function of the same parameters, in fewer passes over memory.

    Its backward pass is written out: a rotation is undone by the opposite one, and no copy of the
    halves that it mixes is kept.
    """

    def forward(self, tokens, rope=None, attn_mask=None):
        """Mix tokens [batch, tokens, dim], those of patches turned by `rope` [patches, 2 · dim].

        Attention masks have no place here.
        """
        qkv = functional.linear(tokens, self.qkv.weight).unflatten(2, (3, self.num_heads, -1))
        sine, cosine = rope.to(product_dtype(rope)).chunk(2, -1)
        return self.proj(_Attend.apply(qkv, sine, cosine))


def use_plain_attention(block):
    """Let a block attend by plain products."""
    attn = block.attn
    attn.fused_attn = False
    if type(attn) is EvaAttention and _is_plain(attn):
        attn.__class__ = PlainAttention


def _is_plain(attn):
    """Whether there is nothing between the products but a rotation of halves."""
    between = (attn.q_norm, attn.k_norm, attn.norm)
    drops = attn.attn_drop.p or attn.proj_drop.p
    biased = attn.qkv is None or attn.q_bias is not None
    return attn.rotate_half and not (
        drops or biased or any(type(module) is not nn.Identity for module in between)
    )


class _Attend(torch.autograd.Function):
    """Attention of [batch, tokens, 3, heads, dim] by sines and cosines [patches, dim]."""

    @staticmethod
    def forward(ctx, qkv, sine, cosine):
        given = qkv.permute(2, 0, 3, 1, 4)
        vectors = qkv.new_empty(given.shape)
        query, key, value = vectors
        _turn(vectors[:2], given[:2], sine, cosine)
        value.copy_(given[2])
        query.mul_(query.shape[-1] ** -0.5)
        weights = (query @ key.transpose(2, 3)).softmax(-1)
        ctx.save_for_backward(vectors, weights, sine, cosine)
        return (weights @ value).transpose(1, 2).flatten(2)

    @staticmethod
    def backward(ctx, gradient):
        (query, key, value), weights, sine, cosine = ctx.saved_tensors
        mixed = gradient.unflatten(2, (query.shape[1], -1)).transpose(1, 2).contiguous()
        scores = mixed @ value.transpose(2, 3)
        scores = torch._softmax_backward_data(scores, weights, -1, weights.dtype)
        batch, heads, count, dim = query.shape
        gradients = gradient.new_empty(batch, count, 3, heads, dim)
        of_query, of_key, of_value = gradients.permute(2, 0, 3, 1, 4)
        _turn(of_query, (scores @ key).mul_(dim**-0.5), -sine, cosine)
        _turn(of_key, scores.transpose(2, 3) @ query, -sine, cosine)
        of_value.copy_(weights.transpose(2, 3) @ mixed)
        return gradients, None, None


def _turn(turned, vectors, sine, cosine):
    """Write [..., tokens, dim] as it is, but for the last tokens, those of patches, turned.

    Pairs to turn are a place of the first half and its like of the second.
    """
    turned.copy_(vectors)
    patches, given = turned[..., -len(sine) :, :], vectors[..., -len(sine) :, :]
    low, high = given.chunk(2, -1)
    patches.mul_(cosine)
    first, second = patches.chunk(2, -1)
    first.addcmul_(high, sine.chunk(2, -1)[0], value=-1)
    second.addcmul_(low, sine.chunk(2, -1)[1])
