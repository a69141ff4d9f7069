"""Scores of tokens with prototypes, made some rows at a time."""

import torch

# Assumed: elements of a block of scores, 128 MiB of float32. At 65,536 prototypes that is 512
# tokens, of 20,000 that a GPU's share of the paper's batch has.
BLOCK = 2**25


class Logits:
    """The matrix tokens × prototypes, of which no more than a block exists at once in float32.

    A small one is kept, in the precision in which it was computed, since it is asked for again.

    Parameters
    ----------
    tokens : Tensor [n, dim]
        Unit vectors.
    prototypes : Tensor [prototypes, dim]
    """

    def __init__(self, tokens, prototypes):
        dtype = product_dtype(tokens)
        self.tokens, self.prototypes = tokens.to(dtype), prototypes.to(dtype)
        small = len(tokens) * len(prototypes) <= BLOCK
        self._kept = self._scores(slice(None)) if small else None

    def __len__(self):
        return len(self.tokens)

    def blocks(self):
        """Return the slices of rows that make up the matrix."""
        step = max(1, BLOCK // len(self.prototypes))
        starts = range(0, len(self), step)
        return [slice(start, min(start + step, len(self))) for start in starts]

    def __getitem__(self, rows):
        """Return scores [rows, prototypes], float32, free to be overwritten."""
        if self._kept is None:
            return self._scores(rows).float()
        return self._kept[rows].to(torch.float32, copy=True)

    def _scores(self, rows):
        return self.tokens[rows] @ self.prototypes.T


def product_dtype(tensor):
    """Return the type in which matrix products of a tensor are computed: autocast's, if any."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype
