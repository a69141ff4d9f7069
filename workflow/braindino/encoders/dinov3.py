"""A DINOv3 vision transformer whose LayerNorms have another epsilon than timm's."""

import timm
from torch import nn


def vit(architecture="vit_base_patch16_dinov3", eps=1e-6, **arguments):
    """Build a timm model and set the epsilon of all of its LayerNorms.

    DINOv3's own models, and timm with them, use 1e-5; those trained by the reference recipe, as
    BrainDINO's authors load theirs, use 1e-6.
    """
    network = timm.create_model(architecture, num_classes=0, **arguments)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = eps
    return network
