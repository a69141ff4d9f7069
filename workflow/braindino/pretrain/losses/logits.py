"""Scores of tokens with prototypes, made some rows at a time."""

import torch

# Assumed: elements of a block of scores. On a CPU 16 MiB of float32, which the allocator keeps for
# the next block where it would give more back to the system; 256 MiB on a GPU, at the paper's size
# 1,024 tokens of 20,000.
BLOCK, GPU_BLOCK = 2**22, 2**26


class Logits:
    """The matrix tokens × prototypes / temperature + shift, of which a block alone exists at once.

    A matrix that is a single block is kept, since it is asked for again.

    Parameters
    ----------
    tokens : Tensor [n, dim]
        Unit vectors.
    prototypes : Tensor [prototypes, dim]
        In the type in which products are to be computed.
    temperature : float

    Attributes
    ----------
    shift : Tensor [prototypes]
        Zero, until `add` adds to it.
    """

    def __init__(self, tokens, prototypes, temperature):
        self.shift = torch.zeros(len(prototypes), device=prototypes.device)
        self.tokens = (tokens.float() / temperature).to(prototypes.dtype)
        self.prototypes = prototypes
        self._kept = None

    def __len__(self):
        return len(self.tokens)

    def blocks(self):
        """Return the slices of rows that make up the matrix."""
        return row_blocks(self.tokens, self.prototypes)

    def add(self, shift):
        """Add one number a prototype to all scores."""
        self.shift = self.shift + shift
        if self._kept is not None:
            self._kept.add_(shift)

    def __getitem__(self, rows):
        """Return scores [rows, prototypes], float32, not to be overwritten."""
        if len(self.blocks()) > 1:
            return self._scores(rows).add_(self.shift)
        if self._kept is None:
            self._kept = self._scores(slice(None)).add_(self.shift)
        return self._kept[rows]

    def _scores(self, rows):
        return (self.tokens[rows] @ self.prototypes.T).float()


def row_blocks(tokens, prototypes):
    """Cut tokens into slices, whose scores with the prototypes fill a block each, at most."""
    block = BLOCK if tokens.device.type == "cpu" else GPU_BLOCK
    step = max(1, block // len(prototypes))
    return [slice(n, min(n + step, len(tokens))) for n in range(0, len(tokens), step)]


def product_dtype(tensor):
    """Return the type in which matrix products of a tensor are computed: autocast's, if any."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype
