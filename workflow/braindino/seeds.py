"""Seeds derived from names, so that no result depends on what ran before it."""

import hashlib

import numpy as np


def derive_seed(*parts):
    """Hash `parts` into a seed of 63 bits, equal on every machine and Python version."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def derive_rng(*parts):
    """Return a NumPy generator seeded by `parts`."""
    return np.random.default_rng(derive_seed(*parts))
