"""Choose the torch device of a job."""

import torch


def choose_device(name):
    """Return the torch device called `name`; 'auto' is CUDA where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def has_bf16(device):
    """Whether a torch device multiplies bfloat16 matrices by instructions of its own."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return any(has for name, has in torch.cpu.get_capabilities().items() if "bf16" in name)
