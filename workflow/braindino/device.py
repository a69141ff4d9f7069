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
