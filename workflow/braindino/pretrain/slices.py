"""Slices of many shards, read at random."""

import mmap
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd

from braindino.errors import BadInput
from braindino.pretrain.order import WINDOW


@dataclass(frozen=True)
class Shard:
    """Where the slices of one shard lie on disk."""

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    modified: int
    first: int = 0  # row of the file at which these slices begin

    def read(self, row):
        """Return one slice, a read-only view of the file's own pages."""
        pixels = self.shape[1] * self.shape[2]
        size = pixels * self.dtype.itemsize
        start = self.offset + (self.first + row) * size
        first = start - start % mmap.PAGESIZE
        pages = _mapped(self)
        # One request for the slice instead of a fault every few pages, where the disk is cold.
        pages.madvise(mmap.MADV_WILLNEED, first, start + size - first)
        return np.frombuffer(pages, self.dtype, pixels, start).reshape(self.shape[1:])


# Shards may be thousands, and open files may not: the shards of two windows, the one that is
# read and the next. Not a part of `Shard`, so that a worker process is sent names alone.
@lru_cache(maxsize=2 * WINDOW)
def _mapped(shard):
    with shard.path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


class Slices:
    """The slices of several shards as one random-access sequence.

    Parameters
    ----------
    paths : sequence of path
        Shards `<chunk>.npy` of shape [n, height, width], each beside its `<chunk>.parquet`;
        n may be zero.
    held_out : collection of str
        Ids of volumes whose slices are passed over.

    Attributes
    ----------
    sizes : list of int
        Slices of each run of slices in a shard; one without held-out volumes is a single run.
    datasets : list of str
        Cohorts with at least one slice.
    volumes : int
        Volumes with at least one slice.
    fingerprint : str
        Changes when a row of a shard's table does, which holds every slice's checksum, or when
        other volumes are held out.

    Raises
    ------
    BadInput
        A shard is not an array of slices, or disagrees with its table or the other shards.
    """

    def __init__(self, paths, held_out=()):
        shards = [_open(Path(path)) for path in paths]
        selected = [_select(shard, held_out) for shard in shards]
        self._shards = [run for runs, _ in selected for run in runs]
        self._check_same_size()
        self.sizes = [shard.shape[0] for shard in self._shards]
        self._ends = list(accumulate(self.sizes))
        tables = [table for _, table in selected]
        rows = pd.concat([*tables, pd.DataFrame(columns=["volume_id", "dataset"])])
        self.datasets = sorted(rows["dataset"].unique())
        self.volumes = int(rows["volume_id"].nunique())
        self.fingerprint = _fingerprint(shards, held_out)

    def __len__(self):
        return sum(self.sizes)

    def __getitem__(self, index):
        shard, row = self._locate(index)
        return shard.read(row)

    def identify(self, index):
        """Return where a slice comes from: its shard, and its row of the shard's table."""
        shard, row = self._locate(index)
        table = pd.read_parquet(shard.path.with_suffix(".parquet"))
        return {"shard": str(shard.path), **table.iloc[shard.first + row].to_dict()}

    def _locate(self, index):
        shard = bisect_right(self._ends, index)
        # Counted from the shard's end: the first one has none before it.
        return self._shards[shard], self.sizes[shard] + index - self._ends[shard]

    def _check_same_size(self):
        sizes = {shard.shape[1:]: shard.path for shard in self._shards}
        if len(sizes) > 1:
            listing = ", ".join(f"{path}: {h}×{w}" for (h, w), path in sizes.items())
            raise BadInput(
                f"shards hold slices of different sizes ({listing}); make them again in one run"
            )


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
    return Shard(path, array.shape, array.dtype, array.offset, path.stat().st_mtime_ns)


def _read_table(shard):
    path = shard.path.with_suffix(".parquet")
    table = pd.read_parquet(path, columns=["volume_id", "dataset"])
    if len(table) != shard.shape[0]:
        raise BadInput(
            f"{path}: {len(table)} rows for {shard.shape[0]} slices of {shard.path.name}; "
            "make the shard again"
        )
    return table


def _select(shard, held_out):
    """Return the runs of a shard's slices that are kept, and their volumes with the cohort."""
    table = _read_table(shard)
    kept = ~table["volume_id"].isin(held_out)
    return _runs(shard, kept.to_numpy()), table[kept].drop_duplicates()


def _runs(shard, kept):
    """Split a shard where rows are left out: the runs of those that are kept, as shards."""
    edges = np.flatnonzero(np.diff(kept, prepend=False, append=False)).tolist()
    return [
        replace(shard, shape=(end - start, *shard.shape[1:]), first=start)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def _fingerprint(shards, held_out):
    digest = sha256("\n".join(sorted(held_out)).encode())
    for shard in shards:
        digest.update(shard.path.with_suffix(".parquet").read_bytes())
    return digest.hexdigest()
