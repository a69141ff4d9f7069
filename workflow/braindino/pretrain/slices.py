"""Slices of many shards, read at random, in an order that is a function of the seed alone."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from braindino.errors import BadInput
from braindino.seeds import derive_rng


@dataclass(frozen=True)
class Shard:
    """Where the slices of one shard lie on disk."""

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int

    def read(self, row):
        """Read one slice; the file is open for this long only, so shards may be thousands."""
        pixels = self.shape[1] * self.shape[2]
        start = self.offset + row * pixels * self.dtype.itemsize
        return np.fromfile(self.path, self.dtype, pixels, offset=start).reshape(self.shape[1:])


class Slices:
    """The slices of several shards as one random-access sequence.

    Parameters
    ----------
    paths : sequence of path
        Shards `<chunk>.npy` of shape [n, height, width], each beside its `<chunk>.parquet`;
        n may be zero.

    Attributes
    ----------
    datasets : list of str
        Cohorts with at least one slice.
    volumes : int
        Volumes with at least one slice.
    fingerprint : str
        Changes when a row of a shard's table or a shard's first slice does.

    Raises
    ------
    BadInput
        A shard is not an array of slices, or disagrees with its table or the other shards.
    """

    def __init__(self, paths):
        shards = [_open(Path(path)) for path in paths]
        tables = [_read_table(shard) for shard in shards]
        self._shards = [shard for shard in shards if shard.shape[0]]
        self._check_sizes()
        self._ends = np.cumsum([shard.shape[0] for shard in self._shards], dtype=np.int64)
        rows = pd.concat([*tables, pd.DataFrame(columns=["volume_id", "dataset"])])
        self.datasets = sorted(rows["dataset"].unique())
        self.volumes = int(rows["volume_id"].nunique())
        self.fingerprint = _fingerprint(self._shards)

    def __len__(self):
        return int(self._ends[-1]) if self._shards else 0

    def __getitem__(self, index):
        shard = int(np.searchsorted(self._ends, index, side="right"))
        first = self._ends[shard - 1] if shard else 0
        return self._shards[shard].read(int(index - first))

    def _check_sizes(self):
        sizes = {shard.shape[1:]: shard.path for shard in self._shards}
        if len(sizes) > 1:
            listing = ", ".join(f"{path}: {h}×{w}" for (h, w), path in sizes.items())
            raise BadInput(
                f"shards hold slices of different sizes ({listing}); make them again in one run"
            )


@lru_cache(maxsize=2)
def _epoch_order(count, seed, epoch):
    return derive_rng(seed, "slice order", epoch).permutation(count)


def slice_at(position, count, seed):
    """Return the index of the `position`-th slice of a run that passes over `count` slices.

    Every epoch is a permutation of its own, a function of (seed, epoch): a run resumes from one
    integer, and any worker finds its slices without knowing the others'.
    """
    epoch, step = divmod(position, count)
    return int(_epoch_order(count, seed, epoch)[step])


def _open(path):
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: not a readable shard ({error}); make it again") from error
    if array.ndim != 3 or not array.flags.c_contiguous:
        raise BadInput(
            f"{path}: holds an array of shape {array.shape}, not C-ordered slices "
            "[n, height, width]; make it again"
        )
    return Shard(path, array.shape, array.dtype, array.offset)


def _read_table(shard):
    path = shard.path.with_suffix(".parquet")
    table = pd.read_parquet(path, columns=["volume_id", "dataset"])
    if len(table) != shard.shape[0]:
        raise BadInput(
            f"{path}: {len(table)} rows for {shard.shape[0]} slices of {shard.path.name}; "
            "make the shard again"
        )
    return table.drop_duplicates()


def _fingerprint(shards):
    # Hashing every slice would read the whole corpus; the first tells a changed normalisation.
    digest = sha256()
    for shard in shards:
        digest.update(shard.path.with_suffix(".parquet").read_bytes())
        digest.update(shard.read(0).tobytes())
    return digest.hexdigest()
