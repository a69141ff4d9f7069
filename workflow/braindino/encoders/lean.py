"""Spare timm's DINOv3s the work that nobody reads, and on CPUs slow ways of doing the rest."""

import torch
from timm.models.eva import EvaAttention, EvaBlock
from torch import nn
from torch.nn import functional


class LeanBlock(EvaBlock):
    """A block of a frozen DINOv3 which can put out its first tokens alone.

    Those attend to all tokens, but only they need a query, a projection and an MLP.

    Attributes
    ----------
    kept : int or None
        How many tokens it puts out, prefix tokens at most; None: all.
    slicewise : bool
        Whether it attends one image after another, by two products. In bfloat16 on a CPU this is
        quicker than torch's own kernel: an image's products stay in the cache.
    """

    kept, slicewise = None, False

    def forward(self, tokens, rope=None, attn_mask=None):
        """Run the block on [batch, tokens, dim]; attention masks have no place here."""
        if not (self.kept or self.slicewise):
            return super().forward(tokens, rope=rope, attn_mask=attn_mask)
        tokens, mixed = tokens[:, : self.kept], self._attend(self.norm1(tokens), rope)
        tokens = tokens + self.gamma_1 * self.attn.proj(mixed)
        return tokens + self.gamma_2 * self.mlp(self.norm2(tokens))

    def _attend(self, tokens, rope):
        weight, heads = self.attn.qkv.weight, self.attn.num_heads
        tokens, dim = tokens.to(weight.dtype), len(weight) // 3
        queries = functional.linear(tokens[:, : self.kept], weight[:dim])
        keys, values = functional.linear(tokens, weight[dim:]).chunk(2, -1)
        queries, keys, values = (x.unflatten(2, (heads, -1)) for x in (queries, keys, values))
        for vectors in (queries, keys) if self.kept is None else (keys,):
            _turn(vectors, rope)
        parts = (x.transpose(1, 2) for x in (queries, keys, values))
        mix = _slicewise if self.slicewise else functional.scaled_dot_product_attention
        return mix(*parts).transpose(1, 2).flatten(2)


def lean_blocks(network, device, bf16):
    """Make the blocks of a frozen network lean where it is a DINOv3 of timm's.

    In bfloat16, its matrices are converted once instead of in every pass, and its rotary table is
    in bfloat16 too, as in its own training.

    Parameters
    ----------
    network : torch.nn.Module
        Any other than a DINOv3 is left as it is.
    device : torch.device
    bf16 : bool
        Whether it runs under autocast to bfloat16.

    Returns
    -------
    LeanBlock or None
        The last block.
    """
    for module in network.modules() if bf16 and device.type == "cpu" else ():
        if getattr(module, "fused_attn", False):
            module.fused_attn = False  # of timm's other transformers: two products are quicker
    blocks = getattr(network, "blocks", [])
    if not blocks or not all(map(_is_dinov3, blocks)):
        return None
    for block in blocks:
        block.__class__ = LeanBlock
        block.slicewise = bf16 and device.type == "cpu"
    if bf16:
        table = network.rope.get_embed
        network.rope.get_embed = lambda *args, **kwargs: table(*args, **kwargs).bfloat16()
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.bfloat16()
    return blocks[-1]


def _is_dinov3(block):
    attn = getattr(block, "attn", None)
    return (
        type(block) is EvaBlock
        and type(attn) is EvaAttention
        and attn.rotate_half
        and attn.qkv is not None
        and attn.q_bias is None
        and block.gamma_1 is not None
        and all(isinstance(norm, nn.Identity) for norm in (attn.q_norm, attn.k_norm, attn.norm))
    )


def _turn(vectors, rope):
    """Rotate [batch, tokens, heads, dim] by a table [patches, sines and cosines], in place.

    The first tokens, which have no place in the image, stay as they are.
    """
    sine, cosine = rope[:, None].unflatten(-1, (2, 2, -1)).unbind(-3)  # halves of each
    low, high = vectors[:, -len(rope) :].chunk(2, -1)
    before = low.clone()
    low.mul_(cosine[..., 0, :]).addcmul_(high, sine[..., 0, :], value=-1)
    high.mul_(cosine[..., 1, :]).addcmul_(before, sine[..., 1, :])


def _slicewise(queries, keys, values):
    """Attend image by image: [batch, heads, tokens, dim] each."""
    mixed = torch.empty_like(queries)
    scale = queries.shape[-1] ** -0.5
    for query, key, value, out in zip(queries * scale, keys, values, mixed, strict=True):
        out.copy_((query @ key.transpose(1, 2)).softmax(-1) @ value)
    return mixed
