"""The U-Net encoder of AMAES (Munk et al. 2024, arXiv:2408.00640), under its published names."""

from torch import nn

STAGES = ("in_conv", "encoder_conv1", "encoder_conv2", "encoder_conv3", "encoder_conv4")


class UNetEncoder(nn.Module):
    """Five stages of two convolutions; between them the grid is halved and the channels doubled.

    Parameters
    ----------
    filters : int
        Channels of the first stage: 32 in AMAES's base model, 64 in its largest.
    """

    def __init__(self, filters=32):
        super().__init__()
        channels = 1
        for stage, name in enumerate(STAGES):
            self.add_module(name, TwoConvolutions(channels, filters * 2**stage))
            channels = filters * 2**stage
        self.pool = nn.MaxPool3d(2)

    def forward(self, volumes):
        """Encode [batch, 1, x, y, z] as [batch, 16 · filters, x / 16, y / 16, z / 16]."""
        maps = self.in_conv(volumes)
        for name in STAGES[1:]:
            maps = getattr(self, name)(self.pool(maps))
        return maps


class TwoConvolutions(nn.Sequential):
    """Two convolutions of 3 voxels, each normalised within its volume."""

    def __init__(self, channels, filters):
        super().__init__()
        self.conv1, self.conv2 = Convolution(channels, filters), Convolution(filters, filters)


class Convolution(nn.Sequential):
    """Convolution, instance norm and leaky ReLU."""

    def __init__(self, channels, filters):
        super().__init__()
        self.conv = nn.Conv3d(channels, filters, 3, padding=1)
        self.norm = nn.InstanceNorm3d(filters, affine=True)
        self.activation = nn.LeakyReLU(0.01)
