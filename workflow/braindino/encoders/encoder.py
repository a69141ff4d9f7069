"""The encoder contract: a frozen network that embeds volumes (paper §4.3)."""

import timm
import torch
from safetensors.torch import load_file

from braindino.seeds import derive_seed
from braindino.weights import check_sum, load_strictly, load_weights


class SliceEncoder:
    """A frozen 2-D vision transformer; a volume is the mean of its slices' class tokens (§4.3).

    Parameters
    ----------
    network : torch.nn.Module
        A timm vision transformer; it is put in eval mode and its gradients are switched off.
    device : torch.device
    batch : int
        Slices a forward pass.
    """

    def __init__(self, network, device, batch):
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = device
        self.batch = batch

    @torch.inference_mode()
    def embed(self, slices):
        """Embed one volume.

        Parameters
        ----------
        slices : Tensor [n, height, width]
            Normalised axial slices, as `imaging.normalise.axial_slices` returns them.

        Returns
        -------
        Tensor [dim], float32, on the CPU
        """
        total = 0
        for batch in slices.split(self.batch):
            # Grey slices are replicated to the three input channels (§4.2).
            images = batch[:, None].to(self.device).expand(-1, 3, -1, -1)
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                tokens = self.network.forward_features(images)
            total = total + tokens[:, 0].double().sum(0)
        return (total / len(slices)).float().cpu()


def load_pretrained(weights, architecture, arguments):
    """Load the encoder that this project pretrains from its safetensors file.

    Raises
    ------
    BadInput
        When a key is missing, unexpected or of another shape.
    """
    network = timm.create_model(architecture, **arguments, num_classes=0)
    return load_strictly(network, load_file(weights), weights)


def load_published_timm(card, weights, seed):
    """Build a published timm model from a card; untrained where `weights` is None.

    Parameters
    ----------
    card : braindino.settings.cards.EncoderCard
    weights : path or None
        File of the published weights; None gives seeded random ones, for the demo alone.
    seed : int

    Raises
    ------
    BadInput
        When the file's checksum or keys are not the card's.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, card.name, "weights"))
        network = timm.create_model(card.architecture, **card.arguments, num_classes=0)
    if weights is None:
        return network
    check_sum(weights, card.weights, f"config/encoders/{card.name}.yaml")
    load_weights(network, weights)
    return network
