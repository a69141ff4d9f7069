"""Decoders: from an encoder's feature maps to one logit a region and pixel (paper §4.3.1)."""

from itertools import pairwise

import torch
from monai.networks.blocks import (
    UnetOutBlock,
    UnetrBasicBlock,
    UnetrPrUpBlock,
    UnetrUpBlock,
)
from timm.layers import LayerNorm2d
from torch import nn

from braindino.errors import BadInput

STEPS = 4  # doublings from a patch of 16 to a pixel
SLOPE = 1e-2  # of the leaky ReLU for which He's initialisation is reckoned, nnU-Net's own
FEATURES = 16  # of UNETR's finest stage, its own default


def decoder(maps, side, contrasts, classes, name):
    """Build the decoder that fits an encoder's feature maps.

    Parameters
    ----------
    maps : list of Tensor [batch, channels, *grid]
        Of a blank patch.
    side : int
        Of that patch.
    contrasts, classes : int
    name : str
        The encoder's, for messages.

    Raises
    ------
    BadInput
        When no decoder fits: 2-D maps must share a grid of patches; 3-D ones too, or halve.
    """
    strides = [side // grid.shape[2] for grid in maps]
    channels = [grid.shape[1] for grid in maps]
    flat = maps[0].ndim == 4
    if set(strides) == {2**STEPS}:
        if flat:
            return PrimusDecoder(sum(channels), classes)
        return UnetrDecoder(contrasts, channels[0], classes)
    if not flat and strides == [2 << step for step in range(STEPS)]:
        return PyramidDecoder(contrasts, channels, classes)
    raise BadInput(
        f"encoder {name}: no decoder fits layers that make one of {strides} pixels; mend 'layers' "
        f"under 'segmentation' in its card."
    )


class PrimusDecoder(nn.Sequential):
    """Transposed convolutions that double the grid and halve the channels, normed by channel.

    As in Primus (Wald et al. 2025, arXiv:2503.01835), in 2-D, on all maps side by side.
    """

    def __init__(self, channels, classes):
        widths = [channels // 2**step for step in range(STEPS + 1)]
        doublings = []
        for wide, narrow in pairwise(widths):
            doublings += [nn.ConvTranspose2d(wide, narrow, 2, 2), LayerNorm2d(narrow), nn.GELU()]
        super().__init__(*doublings, nn.Conv2d(widths[-1], classes, 1))
        for module in self:
            if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                nn.init.zeros_(module.bias)

    def forward(self, _image, maps):
        """Return logits [batch, classes, height, width] of maps [batch, channels, *grid]."""
        return super().forward(torch.cat(maps, dim=1))


class UnetrDecoder(nn.Module):
    """UNETR's (Hatamizadeh et al. 2022): maps of one grid, shallow ones brought up to a skip."""

    def __init__(self, contrasts, dim, classes, features=FEATURES):
        super().__init__()
        widths = [features * 2**step for step in range(STEPS)]
        self.full = _full(contrasts, features)
        self.skips = nn.ModuleList(
            UnetrPrUpBlock(
                3,
                dim,
                width,
                STEPS - 1 - step,
                3,
                1,
                2,
                "instance",
                conv_block=True,
                res_block=True,
            )
            for step, width in enumerate(widths[1:], start=1)
        )
        self.ups = nn.ModuleList(
            _up(*pair) for pair in zip([*widths[1:], dim], widths, strict=True)
        )
        self.out = UnetOutBlock(3, features, classes)

    def forward(self, image, maps):
        """Return logits [batch, classes, x, y, z] of an image and its maps, shallow first."""
        *shallow, deep = maps
        raised = (skip(grid) for skip, grid in zip(self.skips, shallow, strict=True))
        return self.out(_climb(deep, [self.full(image), *raised], self.ups))


class PyramidDecoder(nn.Module):
    """Maps that halve the grid are skips as they are; the image itself gives the finest."""

    def __init__(self, contrasts, channels, classes):
        super().__init__()
        widths = [channels[0], *channels]
        self.full = _full(contrasts, widths[0])
        self.ups = nn.ModuleList(_up(wide, narrow) for narrow, wide in pairwise(widths))
        self.out = UnetOutBlock(3, widths[0], classes)

    def forward(self, image, maps):
        """Return logits [batch, classes, x, y, z] of an image and its maps, shallow first."""
        *shallow, deep = maps
        return self.out(_climb(deep, [self.full(image), *shallow], self.ups))


def _full(contrasts, features):
    return UnetrBasicBlock(3, contrasts, features, 3, 1, "instance", res_block=True)


def _up(wide, narrow):
    return UnetrUpBlock(3, wide, narrow, 3, 2, "instance", res_block=True)


def _climb(deep, skips, ups):
    for skip, up in zip(skips[::-1], ups[::-1], strict=True):
        deep = up(deep, skip)
    return deep
