"""Scores of tokens with prototypes, made some rows at a time."""

import torch

# Assumed: elements of a block of scores. On a CPU 4 MiB of float32: few enough to stay in its cache
# from one operation to the next, enough to be worth waking the other cores; 256 MiB on a GPU, at
# the paper's size 1,024 tokens of 20,000.
BLOCK, GPU_BLOCK = 2**20, 2**26
# Assumed: range of the exponents of exponentials, in float32 and bfloat16 alike: at the upper end
# sums of many thousand stay finite, and below the lower one a number is as good as zero.
HIGHEST, LOWEST = 60.0, -85.0
# Assumed: elements that are kept in the type of products, for a second use: half a GiB of bfloat16.
KEPT = 2**28


class Logits:
    """The matrix tokens × prototypes / temperature + shift, of which a block alone exists at once.

    The bare products are kept where they are few enough, since they are asked for again.

    Parameters
    ----------
    tokens : Tensor [n, dim]
        Unit vectors.
    prototypes : Tensor [prototypes, dim]
        In the type in which products are to be computed.
    temperature : float
    keep : bool, optional
        Whether to keep the products; by default, whether these alone are few enough.

    Attributes
    ----------
    shift : Tensor [prototypes]
        Zero, until `add` adds to it.
    """

    def __init__(self, tokens, prototypes, temperature, keep=None):
        self.shift = torch.zeros(len(prototypes), device=prototypes.device)
        self.tokens = (tokens.float() / temperature).to(prototypes.dtype)
        self.prototypes = prototypes
        keep = may_keep([tokens], prototypes) if keep is None else keep
        self._products = self.tokens @ prototypes.T if keep else None

    def __len__(self):
        return len(self.tokens)

    def blocks(self):
        """Return the slices of rows that make up the matrix."""
        return row_blocks(self.tokens, self.prototypes)

    def add(self, shift):
        """Add one number a prototype to all scores."""
        self.shift = self.shift + shift

    def __getitem__(self, rows):
        """Return scores [rows, prototypes], float32."""
        return self._bare(rows) + self.shift

    def highest(self):
        """Return the highest score before any shift, -inf without tokens: a scalar float32."""
        found = [self._bare(rows).amax().float() for rows in self.blocks()]
        return torch.stack(found).max() if found else self.shift.new_tensor(-torch.inf)

    def exponentials(self, highest):
        """Prepare the exponentials of the scores before any shift, scaled to a common `highest`.

        Returns
        -------
        callable
            Gives matrices [rows, prototypes] in the type of products, which together are all: the
            same one at every call where products are kept in half precision, else block by block,
            made anew.
        """
        kind = self.prototypes.dtype
        if self._products is None or kind == torch.float32:  # of which there is one copy at most
            return lambda: (self._exponential(rows, highest).to(kind) for rows in self.blocks())
        whole = torch.empty_like(self._products)
        for rows in self.blocks():
            whole[rows] = self._exponential(rows, highest)
        return lambda: [whole]

    def _bare(self, rows):
        if self._products is None:
            return self.tokens[rows] @ self.prototypes.T
        return self._products[rows]

    def _exponential(self, rows, highest):
        below = (self._bare(rows).float() - (highest - HIGHEST)).clamp_min_(LOWEST)
        return below.exp_()


def may_keep(parts, prototypes):
    """Whether the scores of parts of tokens are few enough to be kept all at once."""
    return sum(map(len, parts)) * len(prototypes) <= KEPT


def row_blocks(tokens, prototypes):
    """Cut tokens into slices, whose scores with the prototypes fill a block each, at most."""
    return _cut(tokens, prototypes, BLOCK if tokens.device.type == "cpu" else GPU_BLOCK)


def kept_parts(tokens, prototypes):
    """Cut tokens into slices, whose scores may be kept in the type of products."""
    return _cut(tokens, prototypes, KEPT)


def _cut(tokens, prototypes, size):
    step = max(1, size // len(prototypes))
    return [slice(n, min(n + step, len(tokens))) for n in range(0, len(tokens), step)]
