"""The order in which a run reads its slices: a function of the seed and the position alone."""

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

import numpy as np

from braindino.seeds import derive_rng

# Assumed: shards that are read side by side. At paper scale 16 shards are 1,024 volumes, about as
# many as a batch has slices, and 16 GiB, which a node's page cache holds while they are read.
WINDOW = 16


class SliceOrder:
    """Slice of every position of a run: `order[position]`, over any number of epochs.

    Each epoch shuffles the shards, cuts them into windows and shuffles the slices of each window,
    so a cold disk serves few files at a time. Nothing is kept between positions: a run resumes
    from one integer, rank r of n takes the positions r, r + n, …, and any worker finds its slices
    without knowing the others'.

    Parameters
    ----------
    sizes : sequence of int
        Slices of each shard; a slice's number counts through the shards in this order.
    seed : int
    window : int
        Shards in a window, at most; with as many as there are, an epoch is a plain permutation.
    """

    def __init__(self, sizes, seed, window=WINDOW):
        self.sizes = np.asarray(sizes, dtype=np.int64)
        self.firsts = np.cumsum(self.sizes) - self.sizes
        self.count = int(self.sizes.sum())
        self.seed = seed
        self.window = window

    def __getitem__(self, position):
        epoch, step = divmod(position, self.count)
        ends = _windows(self, epoch)[1]
        number = bisect_right(ends, step)
        # Counted from the window's end: the first one has none before it.
        return int(_shuffled(self, epoch, number)[step - ends[number]])


@lru_cache(maxsize=2)
def _windows(order, epoch):
    """Return an epoch's windows, as arrays of shards, and the step at which each ends."""
    shards = derive_rng(order.seed, "shard order", epoch).permutation(len(order.sizes))
    # Windows of equal numbers of shards, lest the last one be a single shard.
    windows = np.array_split(shards, -(-len(shards) // order.window))
    return windows, list(accumulate(order.sizes[window].sum() for window in windows))


@lru_cache(maxsize=2)
def _shuffled(order, epoch, number):
    """Return the slices of a window in the order in which they are read."""
    window = _windows(order, epoch)[0][number]
    slices = [order.firsts[shard] + np.arange(order.sizes[shard]) for shard in window]
    return derive_rng(order.seed, "slice order", epoch, number).permutation(np.concatenate(slices))
