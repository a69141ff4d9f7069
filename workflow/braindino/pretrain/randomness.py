"""torch's own draws (initial weights, drop path), seeded by name and without a trace."""

import contextlib

import torch

from braindino.seeds import derive_seed


@contextlib.contextmanager
def seeded_torch(*parts, device="cpu"):
    """Seed torch's generators from `parts` inside the block, and restore them after it."""
    cuda = [device] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(derive_seed(*parts))
        yield
