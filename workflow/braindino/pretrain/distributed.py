"""The ranks of a run: what they tell each other, and what a run on its own does instead."""

import os
from datetime import timedelta

import torch
from torch import distributed

# Assumed: as long as a rank may keep the others waiting, for a checkpoint on a slow disk.
TIMEOUT = timedelta(minutes=30)


class Ranks:
    """The group of processes that `torchrun` started, or this process alone.

    Use as a context manager around the whole run.

    Attributes
    ----------
    rank, size : int
        This process and how many there are.
    local : int
        This process among those of its node, which is also its GPU.
    """

    def __init__(self):
        self.rank = int(os.environ.get("RANK", 0))
        self.local = int(os.environ.get("LOCAL_RANK", 0))
        self.size = int(os.environ.get("WORLD_SIZE", 1))

    def __enter__(self):
        if self.size > 1:
            backend = "nccl" if torch.cuda.is_available() else "gloo"
            distributed.init_process_group(backend, timeout=TIMEOUT)
        return self

    def __exit__(self, *_):
        if self.size > 1:
            distributed.destroy_process_group()

    @property
    def leads(self):
        """Whether this process writes the files."""
        return self.rank == 0


def is_shared():
    """Whether other ranks take part."""
    return distributed.is_available() and distributed.is_initialized()


def world_size():
    """Return the number of ranks."""
    return distributed.get_world_size() if is_shared() else 1


def total(tensor):
    """Return the sum of a tensor over the ranks."""
    if is_shared():
        tensor = tensor.clone()
        distributed.all_reduce(tensor)
    return tensor


def gather(tensor):
    """Stack equal tensors of all ranks, without gradient: [ranks, ...]."""
    if not is_shared():
        return tensor.detach()[None]
    parts = [torch.empty_like(tensor) for _ in range(world_size())]
    distributed.all_gather(parts, tensor.detach().contiguous())
    return torch.stack(parts)


def gather_own(tensor):
    """Concatenate the rows of all ranks in their order; a gradient reaches this rank's rows."""
    if not is_shared():
        return tensor
    parts = list(gather(tensor))
    parts[distributed.get_rank()] = tensor
    return torch.cat(parts)
