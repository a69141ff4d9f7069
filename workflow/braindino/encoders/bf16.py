"""Spare timm's transformers the conversions that autocast would repeat in every pass."""

from torch import nn


def prefer_bf16(network, device):
    """Prepare a frozen timm transformer, if it is one, for passes in bfloat16 under autocast.

    On a CPU it attends by two products, which are quicker there than torch's one kernel. A DINOv3
    model keeps its matrices in bfloat16, and its rotary table too, as in its own training.

    Parameters
    ----------
    network : torch.nn.Module
    device : torch.device
    """
    if device.type == "cpu":
        for module in network.modules():
            if getattr(module, "fused_attn", False):
                module.fused_attn = False
    table = getattr(getattr(network, "rope", None), "get_embed", None)
    if table:
        network.rope.get_embed = lambda *args, **kwargs: table(*args, **kwargs).bfloat16()
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.bfloat16()
