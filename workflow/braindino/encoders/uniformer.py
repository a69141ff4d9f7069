"""UniFormer-S for volumes: convolution in the early stages, attention in the late ones.

Written from the descriptions of UniFormer (Li et al. 2022, arXiv:2201.09450) and of its 3-D form
in BrainMVP (Rui et al. 2025, arXiv:2410.10604); parameters bear the names under which BrainMVP
publishes its own.
"""

import torch.nn.functional as F
from torch import nn

EPS = 1e-6  # of the blocks' LayerNorms


class UniFormer(nn.Module):
    """Four stages, each of which halves the grid and then mixes near or far.

    Parameters
    ----------
    channels : int
        Of the input.
    depths, dims : sequence of 4 int
        Blocks and channels of the stages.
    head_dim : int
        Channels of an attention head.
    """

    inner = (2, 0, 1)  # order of the input's axes in all modules: it was pretrained on (z, x, y)

    def __init__(self, channels=1, depths=(3, 4, 8, 3), dims=(64, 128, 320, 512), head_dim=64):
        super().__init__()
        for stage, (depth, dim) in enumerate(zip(depths, dims, strict=True), start=1):
            make = ConvBlock if stage <= 2 else lambda d: AttentionBlock(d, head_dim)
            self.add_module(f"patch_embed{stage}", Halving(channels, dim))
            self.add_module(f"blocks{stage}", nn.Sequential(*(make(dim) for _ in range(depth))))
            channels = dim
        self.norm = nn.BatchNorm3d(channels)

    def forward(self, volumes):
        """Encode volumes.

        Parameters
        ----------
        volumes : Tensor [batch, channels, x, y, z]
            Sides divisible by 16.

        Returns
        -------
        Tensor [batch, dim, x / 16, y / 16, z / 16]
        """
        maps = volumes.permute(0, 1, *(2 + axis for axis in self.inner))
        for stage in range(1, 5):
            maps = getattr(self, f"patch_embed{stage}")(maps)
            maps = getattr(self, f"blocks{stage}")(maps)
        return self.norm(maps).permute(0, 1, 3, 4, 2)


class Halving(nn.Module):
    """A strided convolution that halves the grid, and a LayerNorm over the channels."""

    def __init__(self, channels, dim):
        super().__init__()
        self.proj = nn.Conv3d(channels, dim, kernel_size=2, stride=2)
        self.norm = nn.LayerNorm(dim)

    def forward(self, maps):
        """Halve [batch, channels, *grid]."""
        return self.norm(self.proj(maps).movedim(1, -1)).movedim(-1, 1)


class ConvBlock(nn.Module):
    """Position, local mixing and an MLP, all of them convolutions, each added to its input."""

    def __init__(self, dim):
        super().__init__()
        self.pos_embed = nn.Conv3d(dim, dim, 3, padding=1, groups=dim)
        self.norm1 = nn.BatchNorm3d(dim)
        self.conv1 = nn.Conv3d(dim, dim, 1)
        self.attn = nn.Conv3d(dim, dim, 5, padding=2, groups=dim)
        self.conv2 = nn.Conv3d(dim, dim, 1)
        self.norm2 = nn.BatchNorm3d(dim)
        self.mlp = Mlp(dim, lambda inputs, outputs: nn.Conv3d(inputs, outputs, 1))

    def forward(self, maps):
        """Mix [batch, dim, *grid] within 5 voxels."""
        maps = maps + self.pos_embed(maps)
        maps = maps + self.conv2(self.attn(self.conv1(self.norm1(maps))))
        return maps + self.mlp(self.norm2(maps))


class AttentionBlock(nn.Module):
    """Position by convolution, then self-attention and an MLP over all voxels of the grid."""

    def __init__(self, dim, head_dim):
        super().__init__()
        self.pos_embed = nn.Conv3d(dim, dim, 3, padding=1, groups=dim)
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, head_dim)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = Mlp(dim, nn.Linear)

    def forward(self, maps):
        """Mix [batch, dim, *grid] over the whole grid."""
        grid = maps.shape[2:]
        tokens = (maps + self.pos_embed(maps)).flatten(2).transpose(1, 2)
        tokens = tokens + self.attn(self.norm1(tokens))
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens.transpose(1, 2).unflatten(2, grid)


class Attention(nn.Module):
    """Multi-head self-attention with biases."""

    def __init__(self, dim, head_dim):
        super().__init__()
        self.head_dim = head_dim
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens):
        """Mix tokens [batch, n, dim]."""
        heads = self.qkv(tokens).unflatten(2, (3, -1, self.head_dim)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*heads)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Sequential):
    """Two layers, four times as wide between them."""

    def __init__(self, dim, layer):
        super().__init__()
        self.fc1, self.act, self.fc2 = layer(dim, 4 * dim), nn.GELU(), layer(4 * dim, dim)
