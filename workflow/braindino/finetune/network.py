"""The encoder with a task's head: slices of a volume in, the head's outputs out."""

import torch
from timm.optim import param_groups_layer_decay
from torch import nn


class VolumeNetwork(nn.Module):
    """A slice encoder whose class tokens are averaged over a volume, and the head of §4.3.

    Parameters
    ----------
    encoder : torch.nn.Module
        A timm vision transformer. Its activations are computed anew in the backward pass, for
        those of 128 slices a volume would fill a GPU.
    hidden, outputs : int
    dropout : float
    """

    def __init__(self, encoder, hidden, outputs, dropout=0.0):
        super().__init__()
        self.encoder, self.outputs = encoder, outputs
        encoder.set_grad_checkpointing(True)
        dim = encoder.num_features
        self.head = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, outputs),
        )

    def forward(self, slices):
        """Return outputs [volumes, outputs] of slices [volumes, n, height, width]."""
        images = slices.flatten(0, 1)[:, None].expand(-1, 3, -1, -1)
        with torch.autocast(slices.device.type, dtype=torch.bfloat16):
            tokens = self.encoder.forward_features(images)[:, 0]
        return self.head(tokens.float().unflatten(0, slices.shape[:2]).mean(1))


def parameter_groups(network, finetune, protocol):
    """Return groups for AdamW or Adam: the head at its own rate, encoder layers each at theirs.

    A layer's rate is `finetune.learning_rate` times `layer_decay` for each layer above it;
    biases, norms and tokens are not decayed (as timm groups them).
    """
    groups = param_groups_layer_decay(
        network.encoder, protocol.weight_decay, layer_decay=finetune.layer_decay
    )
    encoder = [
        {
            "params": group["params"],
            "weight_decay": group["weight_decay"],
            "lr": finetune.learning_rate * group["lr_scale"],
        }
        for group in groups
    ]
    head = {"params": list(network.head.parameters()), "lr": protocol.learning_rate}
    return [*encoder, head | {"weight_decay": protocol.weight_decay}]
