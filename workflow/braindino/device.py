"""Choose the torch device of a job."""

import torch


def choose_device(name, index=0):
    """Return the torch device called `name`; 'auto' is CUDA where there is one, else the CPU.

    Of several GPUs, take the one with the given index.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cuda":
        return torch.device(name)
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def has_bf16(device):
    """Whether a torch device multiplies bfloat16 matrices by instructions of its own."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return any(has for name, has in torch.cpu.get_capabilities().items() if "bf16" in name)
