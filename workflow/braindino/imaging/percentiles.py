"""Exact percentiles of a large volume without sorting it."""

import numpy as np

# One voxel in 101 guides the search; a prime does not beat with the grid's even sides.
STRIDE = 101


def percentiles(volume, levels, nonzero):
    """Return what `numpy.percentile` returns, several times faster.

    A sorted sample tells between which two values a percentile lies; one pass gathers the voxels
    between them and counts those below, so the answer is exact. A wrong guess costs a sort.

    Parameters
    ----------
    volume : ndarray [planes, rows, columns]
        Finite values.
    levels : sequence of float
        Percentiles, 0 to 100.
    nonzero : bool
        Leave voxels that are zero out; there must be others.

    Returns
    -------
    list of float
    """
    sample = np.sort(_domain(volume.ravel()[::STRIDE], nonzero))
    zeros = volume.size - np.count_nonzero(volume) if nonzero else 0
    return [_percentile(volume, level / 100, sample, zeros) for level in levels]


def _percentile(volume, share, sample, zeros):
    place = share * (volume.size - zeros - 1)
    ranks = np.array([np.floor(place), np.ceil(place)], np.int64)
    below, inside = _between(volume, *_bracket(sample, share), zeros)
    if not below <= ranks[0] <= ranks[1] < below + inside.size:
        below, inside = 0, _domain(volume.ravel(), zeros)
    low, high = np.partition(inside, ranks - below)[ranks - below].astype(np.float64)
    return float(low + (high - low) * (place % 1))


def _bracket(sample, share):
    """Return two values ten standard errors of the sample's rank around its percentile."""
    margin = 10 * np.sqrt(sample.size * share * (1 - share)) + 2
    first, last = int(share * sample.size - margin), int(share * sample.size + margin)
    low = sample[first] if first > 0 else -np.inf
    return low, sample[last] if last < sample.size else np.inf


def _between(volume, low, high, zeros):
    """Return how many voxels lie below `low`, and those from `low` to `high`; `zeros` do not count.

    Plane by plane, because a plane fits the cache and a volume does not.
    """
    above, inside = 0, []
    for plane in volume:
        mask = plane >= low
        above += np.count_nonzero(mask)
        mask &= plane <= high
        inside.append(plane[mask])
    below = volume.size - above - (zeros if low > 0 else 0)
    inside = np.concatenate(inside)
    return below, _domain(inside, zeros) if low <= 0 <= high else inside


def _domain(values, nonzero):
    return values[values != 0] if nonzero else values
