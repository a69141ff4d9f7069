"""An encoder between its four contrasts and a decoder, as nnU-Net's plans describe it."""

import torch
from torch import nn

from braindino.encoders.build import build_network
from braindino.encoders.frozen import freeze
from braindino.encoders.loading import load_weights
from braindino.encoders.reading import watch
from braindino.seeds import derive_seed
from braindino.segmentation.axes import Axes
from braindino.segmentation.channels import adapt, fusion
from braindino.segmentation.decoders import decoder
from braindino.settings.encoders import EncoderCard

CONTRASTS = ("T1w", "T1c", "T2w", "FLAIR")  # channels of nnU-Net's data sets, in turn


class SegmentationNetwork(nn.Module):
    """Patches of four contrasts in, one logit a region and pixel out.

    nnU-Net builds it by `network_class_name` and `arch_kwargs` of its plans, for training and
    for prediction.

    Parameters
    ----------
    input_channels, num_classes : int
    card : dict
        The encoder's card.
    way : str
        How contrasts enter it: `braindino.settings.encoders.Segmentation.channels`.
    frozen : bool
        Whether the encoder stays as it is: in eval mode, without gradients.
    seed : int
        Of all weights until they are loaded.
    deep_supervision : bool
        There is none (§4.3.1); nnU-Net asks.
    """

    def __init__(
        self,
        input_channels,
        num_classes,
        card,
        way,
        frozen=True,
        seed=0,
        deep_supervision=False,
    ):
        super().__init__()
        self.card, self.way, self.seed = EncoderCard(**card), way, seed
        self.axes, self.maps, self.contrasts = Axes(self.card.input.native), {}, input_channels
        told = self.card.modalities
        self.names = [told[contrast] for contrast in CONTRASTS] if told else []
        self.prefix = 0 if way == "tokenizers" else self.card.prefix_tokens
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, self.card.name, "segmentation"))
            self.encoder, self.encode, new = self._adapted_encoder()
            channels = self.card.input.native.channels
            fused = way == "fuse"
            self.fusion = fusion(input_channels, channels) if fused else nn.Identity()
            for layer in self.card.segmentation.layers:
                watch(self.encoder, layer, layer, self.card, self.maps.__setitem__)
            if frozen:
                freeze(self.encoder)
                for parameter in new:
                    parameter.requires_grad_(True)
            maps, side = self._blank_maps(), self.card.segmentation.size[0]
            self.decoder = decoder(maps, side, input_channels, num_classes, self.card.name)

    def load_encoder(self, weights):
        """Load the encoder's weights from their file; nnU-Net's checkpoints hold them again.

        Raises
        ------
        BadInput
            When they do not fit.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(self.seed, self.card.name, "segmentation"))
            encoder, _, _ = self._adapted_encoder(weights)
        self.encoder.load_state_dict(encoder.state_dict())

    def forward(self, patch):
        """Return logits [batch, classes, *sides] of patches [batch, contrasts, *sides].

        Sides are nnU-Net's: axial, coronal and sagittal planes, from below, behind and the left.
        """
        image = self.axes.there(patch)
        return self.axes.back(self.decoder(image, self._features(image)))

    def _adapted_encoder(self, weights=None):
        network = build_network(self.card, self.seed)
        if weights:
            load_weights(network, weights, self.card.name, self.card.weights)
        return network, *adapt(network, self.way, self.contrasts, self.names)

    @torch.no_grad()
    def _blank_maps(self):
        was = self.encoder.training
        self.encoder.eval()  # else the blank would count in running averages
        maps = self._features(torch.zeros(1, self.contrasts, *self.card.segmentation.size))
        self.encoder.train(was)
        return maps

    def _features(self, image):
        """Return the encoder's maps [batch, channels, *grid], on the axes of the image."""
        self.maps.clear()
        self.encode(self.fusion(image))
        norm = self.encoder.get_submodule(self.card.tokens) if image.ndim == 4 else None
        grid = [side // self.card.patch for side in image.shape[2:]]
        return [self._map(self.maps[layer], grid, norm) for layer in self.card.segmentation.layers]

    def _map(self, output, grid, norm):
        if output.ndim > 3:
            return _outer(output, getattr(self.encoder, "inner", None))
        if norm is not None:
            output = norm(output)  # the final one, for all layers (§4.3.1)
        tokens = output[:, self.prefix :].transpose(1, 2)
        # Several contrasts' tokens stand one after the other, and are averaged.
        return tokens.unflatten(2, (-1, *grid)).mean(2)


def _outer(maps, inner):
    """Undo the order that a network gives its axes inside."""
    if inner is None:
        return maps
    return maps.permute(0, 1, *(2 + inner.index(axis) for axis in range(len(inner))))
