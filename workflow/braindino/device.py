"""Choose the torch device of a job."""

import torch


def choose_device(name):
    """Return the torch device called `name`; 'auto' is CUDA where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
