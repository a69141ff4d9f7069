"""The type in which matrix products are computed."""

import torch


def product_dtype(tensor):
    """Return the type in which matrix products of a tensor are computed: autocast's, if any."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype
