"""BM-MAE's encoder: one tokenizer a contrast, then a transformer that they share.

Robinet et al. 2025 (arXiv:2505.00568), from MONAI's parts; parameters bear the published names.
"""

import torch
from monai.networks.blocks import PatchEmbeddingBlock, TransformerBlock
from torch import nn


class BMMAE(nn.Module):
    """A masked autoencoder's encoder, shown all tokens of one contrast.

    Parameters
    ----------
    size, patch : int
        Voxels along a side of the volume and of a patch.
    dim, depth, heads, mlp_dim : int
        Of the transformer.
    modalities : sequence of str
        Names of the tokenizers.
    """

    def __init__(
        self,
        size=128,
        patch=16,
        dim=768,
        depth=12,
        heads=12,
        mlp_dim=1536,
        modalities=("t1", "t1ce", "t2", "flair"),
    ):
        super().__init__()
        self.tokenizers = nn.ModuleDict(
            {name: Tokenizer(size, patch, dim, heads) for name in modalities}
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.blocks = nn.Sequential(
            *(TransformerBlock(dim, mlp_dim, heads, qkv_bias=True) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, volumes, modalities):
        """Encode volumes, each by its own contrast's tokenizer.

        Parameters
        ----------
        volumes : Tensor [batch, 1, x, y, z]
        modalities : list of str
            Name of each volume's tokenizer.

        Returns
        -------
        Tensor [batch, 1 + patches, dim]
            Class token first, after the final norm.
        """
        pairs = zip(volumes.split(1), modalities, strict=True)
        tokens = torch.cat([self.tokenizers[name](volume) for volume, name in pairs])
        start = self.cls_token.expand(len(tokens), -1, -1).to(tokens.dtype)
        return self.norm(self.blocks(torch.cat([start, tokens], dim=1)))


class Tokenizer(nn.Module):
    """Patches of one contrast, with the sines and cosines of their places."""

    def __init__(self, size, patch, dim, heads):
        super().__init__()
        self.patch_embedding = PatchEmbeddingBlock(
            1, size, patch, dim, heads, proj_type="conv", pos_embed_type="sincos"
        )

    def forward(self, volumes):
        """Turn [batch, 1, x, y, z] into tokens [batch, patches, dim]."""
        return self.patch_embedding(volumes)
